"""From windows to figures, bars and validity. PURE."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from loadtests.bench.judge import FOREIGN_SHARE_MAX, Bar
from loadtests.bench.stats import percentile
from loadtests.viewers.results import Played, Visit, Window

P99 = 0.99
RATIO_MAX = 1.05
OWN_GROWTH_MS_MAX = 0.5
LAG_P99_US_MAX = 2000.0
SAMPLES_MIN = 4000
"""In each window: fewer make a p99 of forty calls or less."""
_Z = 1.96
_DRAWS = 2000
_SEED = 6


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and the bounds that it lies between with 95 % confidence."""

    value: float
    low: float
    high: float


def p99_ms(samples_us: Sequence[int]) -> Estimate:
    """The 99th percentile; its bounds are ranks: as many calls lie below, give or take chance."""
    ordered = sorted(samples_us)
    count = len(ordered)
    spread = _Z * math.sqrt(count * P99 * (1 - P99))

    def at(rank: float) -> float:
        return ordered[min(max(math.ceil(rank), 1), count) - 1] / 1000

    return Estimate(at(count * P99), at(count * P99 - spread), at(count * P99 + spread))


def over_pairs(values: Sequence[float]) -> Estimate | None:
    """The median of the pairs; its bounds are those of medians of pairs drawn from them again."""
    if not values:
        return None
    source = random.Random(_SEED)
    drawn = [median(source.choices(values, k=len(values))) for _ in range(_DRAWS)]
    return Estimate(median(values), percentile(drawn, 0.025), percentile(drawn, 0.975))


def ratio(played: Played) -> Estimate | None:
    """Calls' p99 while ten look, as a multiple of the p99 while nobody does."""
    return over_pairs([_p99(watched.took_us) / _p99(alone.took_us)
                       for alone, watched in played.pairs()])  # fmt: skip


def own_growth_ms(played: Played) -> Estimate | None:
    """By how much the p99 of what the partner did not take grows."""
    return over_pairs([(_p99(watched.own_us) - _p99(alone.own_us)) / 1000
                       for alone, watched in played.pairs()])  # fmt: skip


def viewers_cpu_ms(played: Played) -> Estimate | None:
    """What ten viewers take of the sidecar's core, in milliseconds of each second."""
    alone = {each.pair: _cpu_ms(each) for each in played.arm(watched=False)}
    return over_pairs([_cpu_ms(each) - alone[each.pair]
                       for each in played.arm(watched=True) if each.pair in alone])  # fmt: skip


def pooled(visits: Sequence[Visit]) -> Window:
    """All calls of an arm."""
    windows = [each.window for each in visits if each.window]
    return Window(
        [us for each in windows for us in each.took_us],
        [us for each in windows for us in each.own_us],
        max((each.lag_p99_us for each in windows), default=0.0),
    )


def bars(played: Played) -> list[Bar]:
    """The promises, each with its figure."""
    whole, own = ratio(played), own_growth_ms(played)
    return [
        Bar("viewers_p99_ratio", "calls' p99 with 10 viewers, x without",
            whole.value if whole else None, RATIO_MAX, False),
        Bar("viewers_own_p99_growth_ms", "growth of our own share's p99, ms",
            own.value if own else None, OWN_GROWTH_MS_MAX, False),
    ]  # fmt: skip


def invalid_reasons(played: Played, *, quick: bool) -> list[str]:
    """Why the run does not count; empty when it does."""
    reasons = []
    for each in played.visits:
        where = f"pair {each.pair} {'with' if each.watched else 'without'} viewers"
        reasons += [f"{where}: {text}" for text in each.problems]
        if each.foreign_share > FOREIGN_SHARE_MAX:
            reasons.append(f"{where}: other programs had {each.foreign_share:.0%} of a core")
        if each.window is None:
            continue
        if each.window.lag_p99_us > LAG_P99_US_MAX:
            reasons.append(f"{where}: the generator was {each.window.lag_p99_us:,.0f} us late")
        if not quick and len(each.window.took_us) < SAMPLES_MIN:
            reasons.append(f"{where}: {len(each.window.took_us)} calls, not {SAMPLES_MIN}")
    if not played.pairs():
        reasons.append("no pair was measured")
    return reasons


def _p99(samples_us: Sequence[int]) -> float:
    return percentile(samples_us, P99)


def _cpu_ms(visit: Visit) -> float:
    return visit.sidecar_cpu_s / visit.seconds * 1000
