"""A writer on a real file with one table, for the tests of it."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from proxy.idempotency.writer import Writer


class Bench:
    """A writer on a real file with one table, and what it tells."""

    def __init__(self, folder: Path, *, pages_max: int = 0, room: bool = True) -> None:
        self.path = folder / "w.db"
        self.connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        self.connection.execute("CREATE TABLE t (x)")
        if pages_max:
            self.connection.execute(f"PRAGMA max_page_count = {pages_max}")
        self.commits = 0
        self.undone = 0
        self.batches = 0
        self.alone = False
        """Whether the batch at hand is one row alone."""
        self.flushed_at: list[int] = []
        """How many commits there had been."""
        self.failures: list[str] = []
        self.tended: list[bool] = []
        """Whether nobody waited, at each time between commits."""
        self.tending: Callable[[], object] = bool
        self.room = room
        self.connection.set_trace_callback(self._trace)
        self.writer = Writer(
            asyncio.get_running_loop(), self.connection, self, make_room=self._make_room,
            failed=self.failures.append,
        )  # fmt: skip

    def _trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"

    def begin(self, *, alone: bool) -> None:
        """Called before the first change of a batch."""
        assert self.connection.in_transaction is not alone
        self.batches += 1
        self.alone = alone

    def flush(self) -> None:
        """Called before each commit, inside of its transaction."""
        assert self.connection.in_transaction is not self.alone
        self.flushed_at.append(self.commits)

    def undo(self) -> None:
        """Called when a batch was rolled back."""
        self.undone += 1

    def tend(self, *, idle: bool) -> None:
        """Called between commits."""
        assert not self.connection.in_transaction
        self.tended.append(idle)
        self.tending()

    def _make_room(self) -> bool:
        self.connection.execute("PRAGMA max_page_count = 1000")
        return self.room

    def put(self, value: Any) -> Callable[[], Any]:
        """A change that writes a value and comes to it."""

        def work() -> Any:
            self.connection.execute("INSERT INTO t VALUES (?)", (value,))
            return value

        return work

    def rows(self) -> int:
        """What another connection sees, so what was committed."""
        other = sqlite3.connect(self.path)
        try:
            return int(other.execute("SELECT count(*) FROM t").fetchone()[0])
        finally:
            other.close()

    def close(self) -> None:
        self.writer.close()
        self.connection.close()
