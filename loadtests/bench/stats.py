"""Order statistics on small lists. PURE."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: the smallest value with at least `share` (above 0, up to 1) at or below it."""
    if not values:
        raise ValueError("no values")
    if not 0 < share <= 1:
        raise ValueError("share must be in (0, 1]")
    ordered = sorted(values)
    return ordered[math.ceil(share * len(ordered)) - 1]


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over all rounds: its median, extremes and every value, in order of the rounds."""

    median: float
    least: float
    most: float
    rounds: tuple[float, ...]


def spread(values: Sequence[float]) -> Spread:
    """Sum up the rounds of one figure; needs at least one value."""
    if not values:
        raise ValueError("no values")
    return Spread(median(values), min(values), max(values), tuple(values))
