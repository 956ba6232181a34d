"""How soon the guard finds a fault, and how often it finds one where there is none.

Virtual time through the real circuit: `python -m loadtests.detection` prints the
table of docs/guards.md; `--days 30` lets healthy days pass and counts the trips,
`--cost` measures. Nothing sleeps and nothing is sent.
"""

from __future__ import annotations

import argparse
import heapq
import math
import random
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from proxy.guard.circuit import Circuit
from proxy.guard.permit import Permit, Standing, State
from proxy.guard.policy import Policy
from proxy.guard.verdicts import Verdict
from proxy.guard.window import Window

DAY_S = 86_400.0
HEALTHY_S = 600.0
"""Good calls before the fault, so that the window and the baseline are full of them."""
GIVEN_UP_S = 300.0
OWN_FAILURES = 0.005
RATES = (0.2, 1.0, 2.0, 5.0, 20.0)
SHARES = (0.1, 0.2, 0.3, 0.5, 1.0)
SEEDS = 40


class House:
    """One circuit and the calls in flight through it."""

    def __init__(self, seed: int) -> None:
        self.changes: list[Standing] = []
        self.refused = 0
        self.calls = 0
        self.circuit = Circuit(Policy(), random.Random(seed), 0.0, self.changes.append)
        self._flying: list[tuple[float, int, Permit, Verdict, float]] = []

    def call(self, at: float, verdict: Verdict, took_s: float) -> None:
        """Everything that ends before `at` ends; then a call begins, if it may."""
        while self._flying and self._flying[0][0] <= at:
            ends_at, _, permit, said, took = heapq.heappop(self._flying)
            permit.end(said, took, ends_at)
        self.calls += 1
        asked = self.circuit.admit(at)
        if isinstance(asked, Permit):
            heapq.heappush(self._flying, (at + took_s, self.calls, asked, verdict, took_s))
        else:
            self.refused += 1


def arrivals(
    rng: random.Random, rate: float, begin: float, end: float, *, regular: bool = False
) -> Iterator[float]:
    """Instants of calls: by chance (Poisson) or evenly."""
    at = begin
    while True:
        at += 1.0 / rate if regular else rng.expovariate(rate)
        if at >= end:
            return
        yield at


def found_after(rate: float, share: float, seed: int, *, regular: bool = False) -> dict[str, float]:
    """Seconds from the first bad ending to `degraded` (or worse) and to `open`; inf: not found."""
    rng = random.Random(f"{rate} {share} {seed}")
    house = House(seed)
    end = HEALTHY_S + GIVEN_UP_S
    first_bad: float | None = None
    for at in arrivals(rng, rate, 0.0, end, regular=regular):
        faulty = at >= HEALTHY_S and rng.random() < share
        failed = faulty or rng.random() < OWN_FAILURES
        took_s = rng.lognormvariate(math.log(0.25), 0.4)
        if faulty and first_bad is None:
            first_bad = at + took_s
        house.call(at, Verdict.FAILURE if failed else Verdict.SUCCESS, took_s)
    found = {"found": math.inf, "open": math.inf}
    for change in house.changes:
        after = change.since - (end if first_bad is None else first_bad)
        if after >= 0.0 and change.state in (State.DEGRADED, State.OPEN):
            found["found"] = min(found["found"], after)
            if change.state is State.OPEN:
                found["open"] = min(found["open"], after)
    return found


@dataclass
class Healthy:
    """What healthy days came to."""

    days: float
    calls: int = 0
    refused: int = 0
    blips: int = 0
    trips: list[Standing] = field(default_factory=list)


def healthy(days: float, seed: int, rate: float = 2.0, blips_a_day: float = 6.0) -> Healthy:
    """Days with a rhythm, 0.5 % independent technical failures, 12 % declines, blips up to 2 s.

    A decline is an answer, so it is a success here: `verdicts.verdict` sees to it. In a blip
    everything that begins fails, half of the blips by refused connections.
    """
    rng = random.Random(seed)
    house, result = House(seed), Healthy(days)
    blip_at, blip_ends, kind = rng.expovariate(blips_a_day / DAY_S), 0.0, Verdict.FAILURE
    for at in arrivals(rng, rate * 2.0, 0.0, days * DAY_S):
        rhythm = 1.0 - math.cos(2.0 * math.pi * at / DAY_S)  # 0 at night, 2 at noon
        if rng.random() * 2.0 > rhythm:
            continue
        if at >= blip_at:
            blip_ends = blip_at + rng.uniform(0.2, 2.0)
            blip_at = blip_ends + rng.expovariate(blips_a_day / DAY_S)
            kind = rng.choice((Verdict.FAILURE, Verdict.UNREACHABLE))
            result.blips += 1
        if at < blip_ends:
            house.call(at, kind, 0.05)
            continue
        failed = rng.random() < OWN_FAILURES
        took_s = rng.lognormvariate(math.log(0.3 * (1.0 + 0.25 * rhythm)), 0.5)
        house.call(at, Verdict.FAILURE if failed else Verdict.SUCCESS, took_s)
    result.calls, result.refused = house.calls, house.refused
    result.trips = [each for each in house.changes if each.state in (State.DEGRADED, State.OPEN)]
    return result


def _of(values: Iterable[float], share: float) -> str:
    ordered = sorted(values)
    value = ordered[min(len(ordered) - 1, int(share * len(ordered)))]
    return f"{value:.1f}" if math.isfinite(value) else "–"


def table(
    seeds: int, rates: Sequence[float] = RATES, shares: Sequence[float] = SHARES
) -> Iterator[str]:
    """The detection table in Markdown: median and 95th percentile over the seeds."""
    yield "| calls/s | share failing | found, evenly | found, by chance | opened, by chance |"
    yield "|---|---|---|---|---|"
    for rate in rates:
        for share in shares:
            even = [found_after(rate, share, seed, regular=True) for seed in range(seeds)]
            chance = [found_after(rate, share, seed) for seed in range(seeds)]
            columns = (
                [each["found"] for each in even],
                [each["found"] for each in chance],
                [each["open"] for each in chance],
            )
            cells = [f"{_of(column, 0.5)} ({_of(column, 0.95)})" for column in columns]
            yield f"| {rate:g} | {share:.0%} | " + " | ".join(cells) + " |"


def cost() -> Iterator[str]:
    """What the guard takes of a call's time: the best of many short runs, in microseconds."""
    count = 2000
    for verdict in (Verdict.SUCCESS, Verdict.FAILURE):
        house = House(1)
        window, circuit = Window(0.0), house.circuit
        notes, calls = [], []
        for turn in range(100):
            begin = time.perf_counter()
            for index in range(count):
                window.note(verdict, 0.12, turn + index / count)
            middle = time.perf_counter()
            for index in range(count):
                now = turn + index / count
                asked = circuit.admit(now)
                if isinstance(asked, Permit):
                    asked.end(verdict, 0.12, now)
            notes.append((middle - begin) / count * 1e6)
            calls.append((time.perf_counter() - middle) / count * 1e6)
        yield f"{verdict.value}: a note {min(notes):.2f} us, admit and end {min(calls):.2f} us"


def main() -> None:
    """Print what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--days", type=float, default=0.0, help="healthy days instead of the table")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cost", action="store_true", help="microseconds instead of the table")
    asked = parser.parse_args()
    if asked.cost:
        print("\n".join(cost()))
        return
    if not asked.days:
        print("\n".join(table(asked.seeds)))
        return
    result = healthy(asked.days, asked.seed)
    print(f"{result.days:g} days, {result.calls} calls, {result.blips} blips, ", end="")
    print(f"{result.refused} refused, {len(result.trips)} trips")
    for trip in result.trips:
        print(f"  at {trip.since:.1f} s: {trip.state}: {trip.why}")


if __name__ == "__main__":
    main()
