"""PURE. How long calls take here, and how often they fail, when all is well.

A histogram of two half minutes is what is going on now; what left it goes into
the baseline, which forgets half of itself in an hour. So a fault is not learned
as ordinary before it was noticed: when it is, the last two half minutes are
thrown away (`taint`), and nothing is learned until it is over (`learning`).
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from operator import add

PERIOD_S = 30.0
HALF_LIFE_S = 3600.0
LEARNED_MIN = 100.0
"""Calls before the baseline says anything."""
_STEP = 2.0 ** (1.0 / 3.0)
BOUNDS = (*(0.001 * _STEP**step for step in range(50)), 90.0)
"""Upper bounds in seconds: 1 ms to 90 s, each 26 % above the one before."""
_OVER = len(BOUNDS)
_FAILED = _OVER + 1
_SIZE = _FAILED + 1
_KEEP = 0.5 ** (PERIOD_S / HALF_LIFE_S)


def quantile(counts: Sequence[float], share: float) -> float | None:
    """The time that `share` of the calls stayed under; None without calls.

    Between two bounds, in proportion.
    """
    return _reached_by(counts, list(accumulate(counts[:_FAILED])), share)


def _reached_by(counts: Sequence[float], reached: Sequence[float], share: float) -> float | None:
    """The same, with the sums up to each bound."""
    if reached[-1] <= 0.0:
        return None
    wanted = share * reached[-1]
    at = bisect_left(reached, wanted)
    if at >= _OVER:
        return BOUNDS[-1]
    lower, before = (BOUNDS[at - 1], reached[at - 1]) if at else (0.0, 0.0)
    return lower + (BOUNDS[at] - lower) * ((wanted - before) / counts[at])


class Baseline:
    """Three histograms: this half minute, the one before, and the past."""

    __slots__ = ("_current", "_ends_at", "_past", "_previous", "learning", "p99_s", "share")

    def __init__(self, now: float) -> None:
        self._current = [0] * _SIZE
        self._previous = [0] * _SIZE
        self._past = [0.0] * _SIZE
        self._ends_at = now + PERIOD_S
        self.learning = True
        """Whether what happens now is ordinary."""
        self.p99_s: float | None = None
        """Of the past; None before enough is known."""
        self.share: float | None = None
        """Of the past's calls that failed; None before enough is known."""

    def answered(self, took_s: float, now: float) -> None:
        """An answer came."""
        if now >= self._ends_at:
            self._turn(now)
        self._current[bisect_left(BOUNDS, took_s)] += 1

    def failed(self, now: float) -> None:
        """None came, or one that says that it failed."""
        if now >= self._ends_at:
            self._turn(now)
        self._current[_FAILED] += 1

    def taint(self) -> None:
        """What is going on is not ordinary: it is not learned."""
        self._current = [0] * _SIZE
        self._previous = [0] * _SIZE

    def recent(self, share: float, now: float) -> float | None:
        """A quantile of the last 30 to 60 s."""
        return quantile(self._counts(now), share)

    def recent_p50_p99(self, now: float) -> tuple[float | None, float | None]:
        """Both of these at the price of one."""
        counts = self._counts(now)
        reached = list(accumulate(counts[:_FAILED]))
        return _reached_by(counts, reached, 0.5), _reached_by(counts, reached, 0.99)

    def _counts(self, now: float) -> list[int]:
        if now >= self._ends_at:
            self._turn(now)
        return list(map(add, self._current, self._previous))

    def _turn(self, now: float) -> None:
        periods = 1 + int((now - self._ends_at) / PERIOD_S)
        self._ends_at += periods * PERIOD_S
        if self.learning:
            self._learn(self._previous)
            if periods > 1:
                self._learn(self._current)
        emptied = self._previous
        emptied[:] = [0] * _SIZE
        self._previous, self._current = self._current, emptied
        if periods > 1:
            self._previous[:] = [0] * _SIZE

    def _learn(self, counts: list[int]) -> None:
        past = self._past = [a * _KEEP + b for a, b in zip(self._past, counts, strict=True)]
        total = sum(past)
        if total >= LEARNED_MIN:
            self.p99_s = quantile(past, 0.99)
            self.share = past[_FAILED] / total
