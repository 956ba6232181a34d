"""A bound on retries as a share of calls, so that trouble is not multiplied.

Counted over a sliding window of ten slices: retries may be at most `ratio` of
the calls begun in it on routes that retry at all, and a few are always allowed,
or a quiet sidecar could
never retry at all.
"""

from __future__ import annotations

from collections.abc import Callable

_SLICES = 10


class RetryBudget:
    """Counts calls and retries; `take` asks for one more retry."""

    def __init__(
        self, ratio: float, window_s: float, retries_min: int, now: Callable[[], float]
    ) -> None:
        self._ratio = ratio
        self._slice_s = window_s / _SLICES
        self._retries_min = retries_min
        self._now = now
        self._calls = [0] * _SLICES
        self._retries = [0] * _SLICES
        self._current = int(now() / self._slice_s)

    def call(self) -> None:
        """A call has begun."""
        self._calls[self._slot()] += 1

    def take(self) -> bool:
        """Whether one more retry fits; if so it is counted."""
        slot = self._slot()
        allowed = max(self._retries_min, int(self._ratio * sum(self._calls)))
        if sum(self._retries) >= allowed:
            return False
        self._retries[slot] += 1
        return True

    def _slot(self) -> int:
        current = int(self._now() / self._slice_s)
        passed = current - self._current
        if passed > 0:
            for index in range(self._current + 1, self._current + 1 + min(passed, _SLICES)):
                self._calls[index % _SLICES] = self._retries[index % _SLICES] = 0
            self._current = current
        return current % _SLICES
