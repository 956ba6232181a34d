"""Reading a journal file: for people and reports, on connections that cannot write.

It works beside a sidecar that holds the file, and without one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from proxy.idempotency.record import Record, State
from proxy.idempotency.rows import COLUMNS, record
from proxy.idempotency.store import Query

OPEN = "state IN ('claimed', 'sending', 'in_doubt')"
"""The condition of the index of rows without an end, by time. SQLite uses such an index only for
a query that says the very same, and without it reads a million rows to find ten."""
_OPEN_STATES = frozenset((State.CLAIMED, State.SENDING, State.IN_DOUBT))
_NAMES = ", ".join(COLUMNS)


def find(path: Path, query: Query) -> list[Record]:
    """Rows of a journal file, whether or not a sidecar holds it. Raises sqlite3.Error."""
    marks = ", ".join("?" * len(query.states))
    where = f"{OPEN} AND " if _OPEN_STATES.issuperset(query.states) else ""
    where += f"state IN ({marks}) AND changed_at BETWEEN ? AND ? AND (changed_at, id) > (?, ?)"
    asked: list[object] = [*query.states, query.changed_from, query.changed_to, *query.after]
    if query.partner is not None:
        where += " AND partner = ?"
        asked.append(query.partner)
    statement = f"SELECT {_NAMES} FROM calls WHERE {where} ORDER BY changed_at, id LIMIT ?"  # noqa: S608
    with reading(path) as connection:
        return [record(row) for row in connection.execute(statement, (*asked, query.limit))]


def counts(path: Path) -> dict[State, int]:
    """Rows of a journal file by state. Raises sqlite3.Error."""
    with reading(path) as connection:
        found = connection.execute("SELECT state, count(*) FROM calls GROUP BY state").fetchall()
    return {State(state): number for state, number in found}


@contextlib.contextmanager
def reading(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection that cannot write."""
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        yield connection
    finally:
        connection.close()
