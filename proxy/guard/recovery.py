"""PURE. How a slice comes back: when degraded ends, and how traffic returns after closing."""

from __future__ import annotations

from math import log

CERTAINTY = log(100.0)
"""The good calls are to be a hundred times likelier by the ordinary share than by the bad one."""
_WORST = 0.5
"""Recovery from worse than this is measured against this, or two good calls would do."""


class Recovery:
    """Weighs what is ordinary against what was found, call by call.

    Page's cumulative sum ("Continuous inspection schemes", Biometrika 41 (1954) 100-115) of Wald's
    log-likelihood ratio. From 30 % failing, where 2 % are ordinary, it takes 14 good calls in a
    row; from 10 %, 55.
    """

    __slots__ = ("_bad", "_good", "_sum")

    def __init__(self, found: float, ordinary: float) -> None:
        found = min(_WORST, max(found, 2.0 * ordinary))
        self._good = log((1.0 - ordinary) / (1.0 - found))
        self._bad = log(found / ordinary)
        self._sum = 0.0

    def good(self) -> bool:
        """A good call; True once it is over."""
        self._sum += self._good
        return self._sum >= CERTAINTY

    def bad(self) -> None:
        """A bad call."""
        self._sum = max(0.0, self._sum - self._bad)


class Ramp:
    """The share of calls let through after closing: from `start` to all in `length_s`.

    Of the calls in a row exactly that share, with no chance in it.
    """

    __slots__ = ("_begun_at", "_credit", "_length_s", "_start")

    def __init__(self, start: float, length_s: float, now: float) -> None:
        self._start = start
        self._length_s = length_s
        self._begun_at = now
        self._credit = 1.0 - start

    def share(self, now: float) -> float:
        """What is let through at this instant."""
        passed_s = now - self._begun_at
        if passed_s >= self._length_s:
            return 1.0
        return self._start + (1.0 - self._start) * passed_s / self._length_s

    def would_admit(self, now: float) -> bool:
        """What `admits` would say; it counts no call."""
        return self._credit + self.share(now) >= 1.0

    def admits(self, now: float) -> bool:
        """Whether this call is let through."""
        self._credit += self.share(now)
        if self._credit < 1.0:
            return False
        self._credit -= 1.0
        return True


class OpenTime:
    """How long to stay open: doubled each time, anew once closed for as long as the longest."""

    __slots__ = ("_base_s", "_in_row", "_jitter", "_max_s")

    def __init__(self, base_s: float, max_s: float, jitter: float) -> None:
        self._base_s = base_s
        self._max_s = max_s
        self._jitter = jitter
        self._in_row = 0

    def draw_s(self, chance: float, closed_for_s: float) -> float:
        """The next one; `chance` from 0 to 1 spreads it by `jitter` of itself."""
        if closed_for_s > self._max_s:
            self._in_row = 0
        open_s = min(self._max_s, self._base_s * 2.0 ** min(self._in_row, 16))
        self._in_row += 1
        return open_s * (1.0 + self._jitter * (chance - 0.5))
