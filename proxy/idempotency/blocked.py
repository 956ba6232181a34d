"""Remembers which keys blocked a duplicate, and writes that down now and then.

A replay costs no commit: the counts are gathered here and added to the rows once
a second. What was not written when the sidecar dies is lost; it is a report, and
nothing is decided by it.
"""

from __future__ import annotations

import asyncio

from proxy.idempotency.store import Store, StoreUnavailable

WRITE_AFTER_S = 1.0
ROWS_MAX = 10_000
"""That many rows blocked something in one second; the others of that second are not counted."""


class Blocked:
    """`note` counts; a write follows by itself, and another one in the end with `close`."""

    def __init__(self, store: Store, loop: asyncio.AbstractEventLoop) -> None:
        self._store = store
        self._loop = loop
        self._counts: dict[bytes, tuple[int, float]] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def note(self, row_id: bytes, number: int, wall: float) -> None:
        """So many more calls were blocked by this row, the last one at this instant."""
        known, last = self._counts.get(row_id, (0, 0.0))
        if known or len(self._counts) < ROWS_MAX:
            self._counts[row_id] = (known + number, max(last, wall))
        if self._timer is None:
            self._timer = self._loop.call_later(WRITE_AFTER_S, self._due)

    def _due(self) -> None:
        self._timer = None
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self.write())
        else:  # a slow disk: gather on
            self._timer = self._loop.call_later(WRITE_AFTER_S, self._due)

    async def write(self) -> None:
        """Write what was gathered; what the store does not take is kept for the next time."""
        counts, self._counts = self._counts, {}
        if not counts:
            return
        try:
            await self._store.note_blocked(counts)
        except StoreUnavailable:
            for row_id, (number, wall) in counts.items():
                self.note(row_id, number, wall)

    async def close(self, within_s: float) -> None:
        """One last write, bounded in time."""
        try:
            async with asyncio.timeout(within_s):
                if self._writing is not None:
                    await self._writing
                await self.write()
        except TimeoutError:
            pass
        if self._timer is not None:
            self._timer.cancel()
