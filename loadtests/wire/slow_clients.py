"""Slow clients must not slow down the others.

    python -m loadtests.wire.slow_clients [--quick]

1,000 connections trickle a header or a body at a byte a second while good
calls flow at a fixed rate to a partner with log-normal latency (p50 50 ms,
sigma 0.4). Each pair of arms, without and with the slow clients, uses the same
seed; the bars are read as medians over alternating pairs.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

from loadtests.fuzz.processes import child
from loadtests.wire import good_calls, partner, tricklers
from loadtests.wire.good_calls import Load, Timings
from loadtests.wire.tricklers import Closed, Pressure
from tests.support import config
from tests.support.sidecar import Sidecar

RATIO_MAX = 1.2
OWN_SHARE_S_MAX = 0.0005
RSS_GROWTH_BYTES_MAX = 60 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """The size of a run; `deadline_s` is both timeout_header and timeout_body."""

    slow: int = 1000
    pairs: int = 3
    calls: int = 4000
    rate_per_s: float = 250.0
    deadline_s: float = 5.0
    grace_s: float = 1.0
    seed: int = 1
    loop: str = "uvloop"


QUICK = Plan(slow=200, pairs=1, calls=1000, deadline_s=2.0)


@dataclass(slots=True)
class Figures:
    """What a run measured, in seconds and bytes; one entry per pair."""

    ratios: list[float] = field(default_factory=list)
    own_p99_added_s: list[float] = field(default_factory=list)
    rss_growth_bytes: int = 0
    slow_closed: int = 0
    slow_still_open: int = 0
    slow_age_max_s: float = 0.0
    replies: dict[str, int] = field(default_factory=dict)
    good: int = 0
    failures: list[str] = field(default_factory=list)

    def shortfalls(self, plan: Plan) -> list[str]:
        """Which bars are missed, the timed ones included."""
        ratio, own_s = statistics.median(self.ratios), statistics.median(self.own_p99_added_s)
        missed = self.failures_of_kind(plan)
        if ratio > RATIO_MAX:
            missed.append(f"p99 ratio {ratio:.3f} > {RATIO_MAX}")
        if own_s > OWN_SHARE_S_MAX:
            missed.append(f"own share p99 +{own_s * 1e3:.2f} ms > {OWN_SHARE_S_MAX * 1e3} ms")
        return missed

    def failures_of_kind(self, plan: Plan) -> list[str]:
        """Which bars that no clock decides are missed."""
        missed = self.failures[:5]
        if self.slow_still_open or self.slow_age_max_s > plan.deadline_s + plan.grace_s:
            missed.append(f"{self.slow_still_open} slow clients outlived their deadline")
        if self.slow_closed < plan.slow * plan.pairs:
            missed.append(f"only {self.slow_closed} slow clients")
        if set(self.replies) - {"408"}:
            missed.append(f"slow clients were told {self.replies}, not only 408")
        if self.rss_growth_bytes > RSS_GROWTH_BYTES_MAX:
            missed.append(f"RSS grew by {self.rss_growth_bytes >> 20} MiB")
        return missed


def sidecar_config(plan: Plan, port: int) -> config.Document:
    """Room for every slow client beside the good ones, and short deadlines for them."""
    deadline = f"{round(plan.deadline_s * 1000)}ms"
    return config.document(
        {"partner": config.upstream(port)},
        [config.route("/charges", ["partner"])],
        listen={
            "connections_max": plan.slow + 500,
            "timeout_header": deadline,
            "timeout_body": deadline,
        },
    )


def run(plan: Plan) -> Figures:
    """Run all pairs against one sidecar; every process is over afterwards."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder, child(partner.main) as pipe:
        settings = sidecar_config(plan, pipe.recv())
        with Sidecar(settings, Path(folder), loop=plan.loop) as sidecar:
            _calls(sidecar.port, plan, plan.seed)  # a warm sidecar in both arms
            for pair in range(plan.pairs):
                _pair(sidecar, plan, plan.seed + pair, figures, swapped=bool(pair % 2))
            if (code := sidecar.stop()) != 0:
                figures.failures.append(f"the sidecar ended with {code}: {sidecar.stderr[-1000:]}")
        pipe.send(None)
    return figures


def _pair(sidecar: Sidecar, plan: Plan, seed: int, figures: Figures, *, swapped: bool) -> None:
    """One pair of arms; every other pair runs them in the other order."""
    alone = None if swapped else _calls(sidecar.port, plan, seed)
    before = sidecar.rss_bytes()
    pressure = Pressure(sidecar.port, plan.slow, plan.deadline_s, plan.grace_s)
    with child(tricklers.main, pressure) as slow:
        slow.recv()
        pressed = _calls(sidecar.port, plan, seed)
        growth = sidecar.rss_bytes() - before
        closed = _stop(slow)
    alone = alone or _calls(sidecar.port, plan, seed)
    figures.ratios.append(p99(pressed.total_s) / p99(alone.total_s))
    figures.own_p99_added_s.append(p99(pressed.own_s) - p99(alone.own_s))
    figures.rss_growth_bytes = max(figures.rss_growth_bytes, growth)
    figures.slow_closed += len(closed.ages_s)
    figures.slow_still_open += closed.still_open
    figures.slow_age_max_s = max(figures.slow_age_max_s, *closed.ages_s)
    for reply, count in closed.replies.items():
        figures.replies[reply] = figures.replies.get(reply, 0) + count
    figures.good += len(alone.total_s) + len(pressed.total_s)
    figures.failures += alone.failures + pressed.failures


def _stop(slow: Connection) -> Closed:
    slow.send(None)
    closed: Closed = slow.recv()
    return closed


def _calls(port: int, plan: Plan, seed: int) -> Timings:
    with child(good_calls.main, Load(port, seed, plan.calls, plan.rate_per_s)) as pipe:
        timings: Timings = pipe.recv()
    return timings


def p99(values: Sequence[float]) -> float:
    """The 99th percentile."""
    return statistics.quantiles(values, n=100)[98]


def main() -> int:
    """Run, print the figures; 0 if every bar holds."""
    parser = argparse.ArgumentParser(description="slow clients beside good ones")
    parser.add_argument("--quick", action="store_true", help="one short pair, 200 slow clients")
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop")
    options = parser.parse_args()
    base = QUICK if options.quick else Plan()
    plan = Plan(base.slow, base.pairs, base.calls, deadline_s=base.deadline_s, loop=options.loop)
    figures = run(plan)
    missed = figures.shortfalls(plan)
    for each in missed:
        print(f"  {each}")
    ratio = statistics.median(figures.ratios)
    own_ms = statistics.median(figures.own_p99_added_s) * 1e3
    print(
        f"slow_clients {'fail' if missed else 'pass'}: slow={plan.slow} "
        f"closed={figures.slow_closed} still_open={figures.slow_still_open} "
        f"age_max={figures.slow_age_max_s:.2f}s deadline={plan.deadline_s:.0f}s "
        f"good={figures.good} failed={len(figures.failures)} p99_ratio={ratio:.3f} "
        f"own_p99_added={own_ms:.3f}ms rss_growth={figures.rss_growth_bytes / (1 << 20):.1f}MiB"
    )
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
