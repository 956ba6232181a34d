"""A batch of rows on tables in memory, for the tests of it."""

from __future__ import annotations

import hashlib
import sqlite3

from proxy.idempotency.record import Record, Scope, State
from proxy.idempotency.sqlite_batch import Batch
from tests.unit.idempotency.tables import make_tables, stored


def row(number: int, state: State = State.SENDING, note: str = "") -> Record:
    """A row that is like no other."""
    row_id = hashlib.sha256(b"%d" % number).digest()[:16]
    return Record(
        row_id, Scope("t", "g", "charge", f"k{number}"), b"f", state, 1, "o", "c", 1.0, 1.0, 1.0,
        note=note,
    )  # fmt: skip


class Bench:
    """A file's tables in memory, and what is said to them."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        make_tables(self.connection)
        self.said: list[str] = []
        self.connection.set_trace_callback(self.said.append)
        self.batch = Batch(self.connection)

    def stored(self, row_id: bytes) -> Record | None:
        """What the file has."""
        return {each.id: each for each in self.rows().values()}.get(row_id)

    def rows(self) -> dict[int, Record]:
        """All of it, by number."""
        return stored(self.connection)
