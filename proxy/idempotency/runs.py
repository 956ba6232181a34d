"""Which keys have a run at work here, and who is told when it ends."""

from __future__ import annotations

import asyncio


class Run:
    """One run under a key."""

    __slots__ = ("ended", "row_id", "told")

    def __init__(self, row_id: bytes, told: asyncio.Future[None]) -> None:
        self.row_id = row_id
        self.told = told
        """Of whoever asked for it alone: a caller that is cancelled cancels what it waits for."""
        self.ended: asyncio.Future[None] | None = None
        """Of those who wait for the key, made for the first of them: there seldom is one."""


class Runs:
    """By row; the newest run counts, as an older one may be about to end when it begins."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._runs: dict[bytes, Run] = {}

    def __contains__(self, row_id: object) -> bool:
        return row_id in self._runs

    def begin(self, row_id: bytes) -> Run:
        """A run under this key has begun here; give what is returned to `end`."""
        run = self._runs[row_id] = Run(row_id, self._loop.create_future())
        return run

    def end(self, run: Run) -> None:
        """It has ended; whoever waits for it may look."""
        if self._runs.get(run.row_id) is run:
            del self._runs[run.row_id]
        for waiting in (run.told, run.ended):
            if waiting is not None and not waiting.done():
                waiting.set_result(None)

    async def wait_for(self, row_id: bytes, within_s: float, poll_s: float) -> None:
        """Wait for the run under this key to end: here, or (looked at now and then) elsewhere."""
        run = self._runs.get(row_id)
        if run is None:
            await asyncio.sleep(min(poll_s, within_s))
            return
        ended = run.ended
        if ended is None:
            ended = run.ended = self._loop.create_future()
        await asyncio.wait((ended,), timeout=within_s)
