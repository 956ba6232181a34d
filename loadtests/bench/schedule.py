"""When the calls of the open loop begin, and what their latencies amount to. PURE."""

from __future__ import annotations

import random
from collections.abc import Sequence

from loadtests.bench.results import Opened
from loadtests.bench.stats import percentile


def poisson_schedule(calls_per_s: float, seconds: float, seed: int) -> list[float]:
    """Begin instants in seconds from 0, independent arrivals; the same seed, the same schedule.

    Even spacing would be kinder than life and could march in step with millisecond timers.
    """
    if calls_per_s <= 0 or seconds <= 0:
        raise ValueError("rate and duration must be positive")
    source = random.Random(seed)
    instants: list[float] = []
    instant = source.expovariate(calls_per_s)
    while instant < seconds:
        instants.append(instant)
        instant += source.expovariate(calls_per_s)
    return instants


def sum_up(latencies_s: Sequence[float], lags_s: Sequence[float]) -> Opened:
    """Percentiles in microseconds."""
    return Opened(
        calls=len(latencies_s),
        p50_us=percentile(latencies_s, 0.50) * 1e6,
        p99_us=percentile(latencies_s, 0.99) * 1e6,
        lag_p99_us=percentile(lags_s, 0.99) * 1e6,
    )
