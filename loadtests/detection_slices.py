"""How soon the guard names the scheme that fails, and whether it leaves the others alone.

Virtual time through the real guards, as in detection.py: `python -m
loadtests.detection_slices` prints the table of docs/guards.md; `--days 30` lets healthy
days pass and counts the trips of all slices. Nothing sleeps and nothing is sent.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path

from loadtests.detection import DAY_S, GIVEN_UP_S, HEALTHY_S, OWN_FAILURES, arrivals
from proxy.guard.guards import Guards
from proxy.guard.permit import Permit
from proxy.guard.slices import Slice
from proxy.guard.verdicts import Verdict
from proxy.model.call import Call
from proxy.model.events import BreakerChanged
from proxy.model.message import Request
from proxy.model.route import Route
from proxy.settings.build import build
from proxy.settings.load import read

SCHEMES = {"visa": 0.4, "mastercard": 0.45, "amex": 0.1, "jcb": 0.05}
CURRENCIES = {"eur": 0.7, "usd": 0.2, "gbp": 0.1}
RATES = (1.0, 2.0, 5.0, 20.0, 50.0)
SHARES = (0.2, 0.3, 0.5, 1.0)
SEEDS = 40
BAD = ("degraded", "open")
_CONFIGURATION = b"""
version: 1
partners:
  acquirer: {upstreams: {only: {url: "http://127.0.0.1:1"}}}
routes:
  - name: payments
    match: {path: /psp/}
    operation: authorize
    candidates: [only]
    dimensions: [{name: scheme, pointer: /scheme}, {name: currency, pointer: /currency}]
"""


def sliced_route(dimensions: int) -> Route:
    """A route to one upstream, with so many dimensions of the two."""
    [route] = build(read(_CONFIGURATION, Path("tidegate.yaml"), {}).settings).routes
    return replace(
        route, dimensions=route.dimensions[:dimensions], sources=route.sources[:dimensions]
    )


def call_of(route: Route, *values: str) -> Call:
    """A call of these values."""
    made = Call(Request(b"POST", b"/psp/", b"localhost", [], b"", 0.0), "", 0.0, {})
    made.route, made.candidates, made.dimensions = route, route.candidates, values
    return made


class SlicedHouse:
    """The guards of one upstream and the calls in flight through them."""

    def __init__(self, seed: int, dimensions: int = 2) -> None:
        self.now = 0.0
        self.changes: list[tuple[float, BreakerChanged]] = []
        self.refused: dict[str, int] = {}
        """By scheme."""
        self.calls = 0
        self._rng = random.Random(f"values {seed}")
        self._route = sliced_route(dimensions)
        self.guards = Guards([self._route], lambda: self.now, self._told, random.Random(seed))
        self.at: Slice = self.guards.slices()[0]
        self._calls = {
            values: call_of(self._route, *values[:dimensions])
            for values in product(SCHEMES, CURRENCIES)
        }
        self._flying: list[tuple[float, int, Permit, Verdict, float]] = []
        self._tick_at = 1.0

    def _told(self, event: BreakerChanged) -> None:
        self.changes.append((self.now, event))

    def draw(self) -> tuple[str, str]:
        """A scheme and a currency, by their shares."""
        [scheme] = self._rng.choices(tuple(SCHEMES), tuple(SCHEMES.values()))
        [currency] = self._rng.choices(tuple(CURRENCIES), tuple(CURRENCIES.values()))
        return scheme, currency

    def call(self, at: float, values: tuple[str, str], verdict: Verdict, took_s: float) -> None:
        """What ends before `at` ends, and each second passes; then a call begins, if it may."""
        while self._flying and self._flying[0][0] <= at:
            ends_at, _, permit, said, took = heapq.heappop(self._flying)
            self._pass_to(ends_at)
            permit.end(said, took, ends_at)
        self._pass_to(at)
        self.calls += 1
        asked = self.at.admit(self._calls[values], at)
        if isinstance(asked, Permit):
            heapq.heappush(self._flying, (at + took_s, self.calls, asked, verdict, took_s))
        else:
            self.refused[values[0]] = self.refused.get(values[0], 0) + 1

    def _pass_to(self, at: float) -> None:
        while self._tick_at <= at:
            self.now = self._tick_at
            self.guards.tick()
            self._tick_at += 1.0
        self.now = at


@dataclass
class Found:
    """What one fault came to; seconds from its first bad ending, infinity where it never came."""

    named: float = math.inf
    """The failing scheme's slice became degraded or open."""
    opened: float = math.inf
    wrongly: list[str] = field(default_factory=list)
    """Other slices that were acted on, with the reason."""
    others_refused: int = 0


def scheme_fails(
    rate: float, share: float, seed: int, schemes: Collection[str] = ("visa",), *,
    hangs: bool = False, dimensions: int = 2,
) -> Found:  # fmt: skip
    """Ten healthy minutes; then `share` of these schemes' calls fail, at once or by hanging."""
    rng = random.Random(f"{rate} {share} {seed}")
    house, first_bad = SlicedHouse(seed, dimensions), math.inf
    for at in arrivals(rng, rate, 0.0, HEALTHY_S + GIVEN_UP_S):
        values = house.draw()
        faulty = at >= HEALTHY_S and values[0] in schemes and rng.random() < share
        failed = faulty or rng.random() < OWN_FAILURES
        took_s = 20.0 if faulty and hangs else rng.lognormvariate(math.log(0.25), 0.4)
        if faulty:
            first_bad = min(first_bad, at + (0.0 if hangs else took_s))
        house.call(at, values, Verdict.FAILURE if failed else Verdict.SUCCESS, took_s)
    found = Found(others_refused=sum(
        count for scheme, count in house.refused.items() if scheme not in schemes
    ))  # fmt: skip
    parts = {f"scheme={scheme}" for scheme in schemes}
    for at, change in house.changes:
        if change.part in parts and change.state in BAD:
            found.named = min(found.named, at - first_bad)
            if change.state == "open":
                found.opened = min(found.opened, at - first_bad)
        elif change.state in BAD:
            found.wrongly.append(f"{change.part or 'all'} {change.state}: {change.reason}")
    return found


def healthy(days: float, seed: int, rate: float = 2.0, blips_a_day: float = 6.0) -> list[str]:
    """The trips of healthy days, as in detection.py, over all slices of two dimensions."""
    rng = random.Random(seed)
    house = SlicedHouse(seed)
    blip_at, blip_ends, kind = rng.expovariate(blips_a_day / DAY_S), 0.0, Verdict.FAILURE
    for at in arrivals(rng, rate * 2.0, 0.0, days * DAY_S):
        rhythm = 1.0 - math.cos(2.0 * math.pi * at / DAY_S)
        if rng.random() * 2.0 > rhythm:
            continue
        if at >= blip_at:
            blip_ends = blip_at + rng.uniform(0.2, 2.0)
            blip_at = blip_ends + rng.expovariate(blips_a_day / DAY_S)
            kind = rng.choice((Verdict.FAILURE, Verdict.UNREACHABLE))
        if at < blip_ends:
            house.call(at, house.draw(), kind, 0.05)
            continue
        failed = rng.random() < OWN_FAILURES
        took_s = rng.lognormvariate(math.log(0.3 * (1.0 + 0.25 * rhythm)), 0.5)
        said = Verdict.FAILURE if failed else Verdict.SUCCESS
        house.call(at, house.draw(), said, took_s)
    return [
        f"at {at:.1f} s: {change.part or 'all'} {change.state}: {change.reason}"
        for at, change in house.changes
        if change.state in BAD
    ]


def table(
    seeds: int, rates: Sequence[float] = RATES, shares: Sequence[float] = SHARES
) -> Iterator[str]:
    """The table in Markdown: median and 95th percentile over the seeds."""
    yield "| calls/s | share of visa failing | named | opened | hanging: named | others acted on |"
    yield "|---|---|---|---|---|---|"
    for rate in rates:
        for share in shares:
            runs = [scheme_fails(rate, share, seed) for seed in range(seeds)]
            hung = [scheme_fails(rate, share, seed, hangs=True) for seed in range(seeds)]
            columns = (
                [each.named for each in runs],
                [each.opened for each in runs],
                [each.named for each in hung],
            )
            cells = [f"{_of(column, 0.5)} ({_of(column, 0.95)})" for column in columns]
            wrong = sum(bool(each.wrongly) for each in (*runs, *hung))
            yield f"| {rate:g} | {share:.0%} | {' | '.join(cells)} | {wrong} of {2 * seeds} |"


def _of(values: Sequence[float], share: float) -> str:
    ordered = sorted(values)
    value = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return f"{value:.1f}" if math.isfinite(value) else "–"


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--days", type=float, default=0.0, help="healthy days instead of the table")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    if not asked.days:
        print("\n".join(table(asked.seeds)))
        return
    trips = healthy(asked.days, asked.seed)
    print("\n".join([f"{asked.days:g} days, {len(trips)} trips", *trips]))


if __name__ == "__main__":
    main()
