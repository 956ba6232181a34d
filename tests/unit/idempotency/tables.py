"""The tables of a journal file, for tests that put rows there themselves."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from proxy.idempotency.record import Record
from proxy.idempotency.rows import record, values
from proxy.idempotency.sqlite_schema import LEFT, SAVE, SCHEMA

_ALL = LEFT.partition(" WHERE ")[0]


def make_tables(connection: sqlite3.Connection) -> None:
    """Those of a new file."""
    for statement in SCHEMA:
        connection.execute(statement)


def put_rows(connection: sqlite3.Connection, rows: Sequence[Record], first: int = 1) -> None:
    """Rows with the numbers from `first` on, in tables that are made if there are none."""
    make_tables(connection)
    for number, row in enumerate(rows, first):
        connection.execute(SAVE, (number, *values(row)))


def stored(connection: sqlite3.Connection) -> dict[int, Record]:
    """What the tables have, by number."""
    found = connection.execute(f"{_ALL} ORDER BY number").fetchall()
    return {number: record(tuple(columns)) for number, *columns in found}
