"""A journal file that can be opened again and again, for the tests of the embedded store."""

from __future__ import annotations

import asyncio
from pathlib import Path

from proxy.idempotency.sqlite import SqliteStore
from tests.support.manual_clock import ManualClock


class Disk:
    """A journal file that can be opened again; `clock` is the wall clock's."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "j.db"
        self.clock = ManualClock()
        self.failures: list[str] = []
        self._open: list[SqliteStore] = []

    def open(self) -> SqliteStore:
        """A store on the file, closed in the end."""
        store = SqliteStore(
            self.path, asyncio.get_running_loop(), wall=self.clock.wall,
            failed=self.failures.append,
        )  # fmt: skip
        self._open.append(store)
        return store

    async def close(self) -> None:
        for store in self._open:
            await store.close()
