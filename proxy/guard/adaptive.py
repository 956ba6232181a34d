"""PURE. A limit that follows what a partner can take: less at once, more bit by bit.

It is halved when the partner says that it has too much (429, 503), or shows it by
not answering in time, and raised by one for each full window of successes, that is
as many as the limit (AIMD, as TCP does). Latency decides nothing: an issuer that
takes its time is no overload.

What was begun before the last halving tells of the load before it, so it
halves nothing again: else the hundred attempts that met one overload would take
the limit to 1.
"""

from __future__ import annotations


class AdaptiveLimit:
    """`limit` begins at `limit_max` and stays within 1 and that."""

    __slots__ = ("_halved_at", "_successes", "limit", "limit_max")

    def __init__(self, limit_max: int) -> None:
        self.limit = self.limit_max = limit_max
        self._successes = 0
        self._halved_at = float("-inf")

    def succeeded(self) -> None:
        """The partner answered, and not that it has too much."""
        self._successes += 1
        if self._successes >= self.limit:
            self._successes = 0
            self.limit = min(self.limit_max, self.limit + 1)

    def saturated(self, begun_at: float, now: float) -> None:
        """The attempt that began at `begun_at` met a partner that has too much."""
        if begun_at < self._halved_at:
            return
        self._halved_at = now
        self._successes = 0
        self.limit = max(1, self.limit // 2)
