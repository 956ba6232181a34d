"""One timer of the loop for many deadlines set one after another.

Each call sets several deadlines and nearly none is ever reached. Cancelling and
creating a loop timer for each costs more than the parsing of the request, so a
timer already running is left alone when the new deadline is later: it wakes,
sees that it was moved, and sleeps again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

NEVER = float("inf")


class LazyTimer:
    """Calls `expired` once, at or shortly after the instant last armed."""

    __slots__ = ("_expired", "_handle", "_loop", "_now", "_wakes_at", "_when")

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        now: Callable[[], float],
        expired: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._now = now
        self._expired = expired
        self._when = NEVER
        self._wakes_at = NEVER
        self._handle: asyncio.TimerHandle | None = None

    def arm(self, when: float) -> None:
        """Expire at the monotonic instant `when`, in place of any earlier setting."""
        self._when = when
        if when < self._wakes_at:
            self._sleep_until(when)

    def disarm(self) -> None:
        """Do not expire. The loop timer is left to wake once more and find nothing to do."""
        self._when = NEVER

    def close(self) -> None:
        """Disarm and give the loop timer back."""
        self._when = NEVER
        self._wakes_at = NEVER
        if self._handle is not None:
            self._handle.cancel()
            self._handle = None

    def _sleep_until(self, when: float) -> None:
        if self._handle is not None:
            self._handle.cancel()
        self._wakes_at = when
        self._handle = self._loop.call_later(max(0.0, when - self._now()), self._wake)

    def _wake(self) -> None:
        self._handle = None
        self._wakes_at = NEVER
        if self._when == NEVER:
            return
        if self._now() < self._when:
            self._sleep_until(self._when)
            return
        self._when = NEVER
        self._expired()
