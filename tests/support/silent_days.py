"""Days of calls on virtual time, with nights and weekends, and who watches them for silence."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator

from proxy.health.silence import Silence

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
START_S = 1_800_000_000.0 - 1_800_000_000.0 % (7 * DAY_S)


def rate_per_s(at: float, peak_per_s: float) -> float:
    """A shop's day: nearly nothing at night, most in the evening; less at weekends."""
    hour = at % DAY_S / HOUR_S
    day = 0.02 + 0.98 * max(0.0, math.sin((hour - 6.0) / 18.0 * math.pi)) if hour >= 6 else 0.02
    weekend = 0.5 if (at // DAY_S) % 7 >= 5 else 1.0
    return peak_per_s * day * weekend


def calls(seed: int, days: float, peak_per_s: float) -> Iterator[float]:
    """Instants of calls that come by chance, by thinning."""
    rng = random.Random(seed)
    at, end = START_S, START_S + days * DAY_S
    while True:
        at += rng.expovariate(peak_per_s)
        if at >= end:
            return
        if rng.random() < rate_per_s(at, peak_per_s) / peak_per_s:
            yield at


def watch(silence: Silence, instants: Iterable[float], step_s: float) -> list[float]:
    """Feed the calls and look at a fixed distance; when each alarm began."""
    alarms: list[float] = []
    look_at, silent = START_S, False
    for at in instants:
        while look_at <= at:
            found = silence.look(look_at) is not None
            if found and not silent:
                alarms.append(look_at)
            silent = found
            look_at += step_s
        silence.call(at)
        silent = False
    return alarms
