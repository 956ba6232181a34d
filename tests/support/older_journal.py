"""Journal files as earlier releases left them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from proxy.idempotency.record import Record
from proxy.idempotency.rows import COLUMNS, LINKS, values
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.sqlite_schema import META
from proxy.idempotency.store import Query


def older(connection: sqlite3.Connection, version: int, rows: list[Record]) -> None:
    """The tables of an earlier release, with its indexes; a row's number is odd."""
    names = [name for name in COLUMNS if version > 1 or name not in LINKS]
    connection.execute(META)
    connection.execute("INSERT INTO meta VALUES ('version', ?), ('kept', 7.5)", (version,))
    connection.execute(
        f"CREATE TABLE calls (number INTEGER PRIMARY KEY, {', '.join(names)}, UNIQUE (id))"
    )
    connection.execute(
        "CREATE INDEX calls_open ON calls (changed_at) "
        "WHERE state IN ('claimed', 'sending', 'in_doubt')"
    )
    if version > 1:
        connection.execute(
            "CREATE INDEX calls_link_request ON calls (link_request) WHERE link_request IS NOT NULL"
        )
        connection.execute("CREATE INDEX calls_block_key ON calls (number >> 12, idem_key)")
    marks = ", ".join("?" * len(names))
    for number, each in enumerate(rows):
        kept = dict(zip(COLUMNS, values(each), strict=True))
        connection.execute(
            f"INSERT INTO calls (number, {', '.join(names)}) VALUES (?, {marks})",
            [2 * number + 1, *(kept[name] for name in names)],
        )


def age_format(path: Path, version: int) -> int:
    """Make a journal that no sidecar holds one of an earlier release; how many rows it has."""
    rows = find(path, Query())
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("calls", "filters", "meta"):
            connection.execute(f"DROP TABLE {table}")
        older(connection, version, rows)
    return len(rows)
