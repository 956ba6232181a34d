"""How many requests a partner works on at once; the others wait, first come, first served.

A partner has as many workers as anybody asks for until a rule says otherwise.
A worker is kept to the end of its work, also where the peer has gone: that is what
makes a partner that is behind stay behind.
"""

from __future__ import annotations

import asyncio
from collections import deque


class Workers:
    """The workers of one partner; a limit may come, change and go while requests wait."""

    def __init__(self) -> None:
        self._limit: int | None = None
        self._queue_max = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.at_work = 0

    @property
    def waiting(self) -> int:
        """How many requests wait for a worker."""
        return len(self._waiting)

    def limit(self, workers: int, queue_max: int) -> None:
        """From now on there are so many, and no more than `queue_max` requests wait."""
        self._limit, self._queue_max = workers, queue_max
        self._wake()

    def unlimited(self) -> None:
        """From now on there is one for every request, those that wait included."""
        self._limit = None
        self._wake()

    async def take(self) -> bool:
        """Wait for a worker; False where as many requests wait as may."""
        if self._limit is None or self.at_work < self._limit:
            self.at_work += 1
            return True
        if len(self._waiting) >= self._queue_max:
            return False
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            self._leave_line(turn)
            raise
        return True

    def leave(self) -> None:
        """A worker is free again."""
        self.at_work -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and (self._limit is None or self.at_work < self._limit):
            turn = self._waiting.popleft()
            if not turn.done():
                self.at_work += 1
                turn.set_result(None)

    def _leave_line(self, turn: asyncio.Future[None]) -> None:
        """Whoever is cancelled holds nothing; a worker that was just given to it is free again."""
        if turn in self._waiting:
            self._waiting.remove(turn)
        elif turn.done() and not turn.cancelled():
            self.leave()
