"""Waits that all may last equally long, so one timer serves them however many there are."""

from __future__ import annotations

import asyncio
from collections import deque


class Patience:
    """Makes futures that whoever waits for something waits for: done by it, or by the time."""

    def __init__(self, loop: asyncio.AbstractEventLoop, within_s: float) -> None:
        self._loop = loop
        self._within_s = within_s
        self._waits: deque[tuple[float, asyncio.Future[None]]] = deque()
        """Until when, in the order of their beginning and so of their end."""
        self._timer: asyncio.TimerHandle | None = None

    def waiter(self) -> asyncio.Future[None]:
        """A future that is done after `within_s` at the latest."""
        waits = self._waits
        while waits and waits[0][1].done():
            waits.popleft()
        made: asyncio.Future[None] = self._loop.create_future()
        ends_at = self._loop.time() + self._within_s
        waits.append((ends_at, made))
        if self._timer is None:
            self._timer = self._loop.call_at(ends_at, self._look)
        return made

    def _look(self) -> None:
        waits, now = self._waits, self._loop.time()
        while waits and (waits[0][0] <= now or waits[0][1].done()):
            _, waiter = waits.popleft()
            if not waiter.done():
                waiter.set_result(None)
        self._timer = self._loop.call_at(waits[0][0], self._look) if waits else None

    def close(self) -> None:
        """Nobody waits any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
