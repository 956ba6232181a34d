"""Figures from samples. PURE: no clock, no I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def percentile(samples: Iterable[float], share: float) -> float:
    """The nearest-rank percentile: the smallest sample that `share` of all are at most.

    Nearest rank, because it is always a value that was really measured. No
    samples give NaN, which no bar accepts.
    """
    if not 0.0 < share <= 1.0:
        raise ValueError(f"a percentile's share lies in (0, 1], not {share}")
    ordered = sorted(samples)
    if not ordered:
        return math.nan
    return ordered[math.ceil(share * len(ordered)) - 1]


def median(samples: Sequence[float]) -> float:
    """The median; the lower one of two middles, so that it too was really measured."""
    return percentile(samples, 0.5)


def share_of(part: int, whole: int) -> float:
    """`part` in percent of `whole`; NaN of nothing, because nothing measured proves nothing."""
    return 100.0 * part / whole if whole else math.nan
