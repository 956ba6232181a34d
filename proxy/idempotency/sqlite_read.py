"""Reading a journal file: for people and reports, on connections that cannot write.

It works beside a sidecar that holds the file, and without one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from proxy.idempotency.record import Record, State
from proxy.idempotency.rows import COLUMNS, LINKS, id_bounds, record
from proxy.idempotency.store import NAMED_MAX, Query
from proxy.model.unsettled import Unsettled

OPEN = "state IN ('claimed', 'sending', 'in_doubt')"
"""The condition of the index of rows without an end, by time. SQLite uses such an index only for
a query that says the very same, and without it reads a million rows to find ten."""
_OPEN_STATES = frozenset((State.CLAIMED, State.SENDING, State.IN_DOUBT))
_NAMES = ", ".join(COLUMNS)
BY_KEY = "calls_block_key"
BLOCK = "number >> 12"
"""Keys are indexed by blocks of 4096 rows, in the order in which they came. Keys are random, so
in an index of keys alone each new one changes a page of its own; here it is one of the few pages
of the newest block. A key is then looked for in each block: a million rows have 245 of them."""
_BY_KEY = (
    "WITH RECURSIVE blocks (block) AS ("  # noqa: S608 - names of ours
    f"SELECT min({BLOCK}) FROM calls UNION ALL "
    f"SELECT block + 1 FROM blocks WHERE block < (SELECT max(number) >> 12 FROM calls)) "
    f"SELECT {_NAMES} FROM blocks CROSS JOIN calls ON {BLOCK} = block AND idem_key = ? LIMIT ?"
)
_BY_KEY_ALONE = f"SELECT {_NAMES} FROM calls WHERE idem_key = ? LIMIT ?"  # noqa: S608
"""For a file that an earlier release made."""
_INDEXED = "SELECT 1 FROM main.sqlite_master WHERE name = ?"
_BY_ID = f"SELECT {_NAMES} FROM calls WHERE id BETWEEN ? AND ? LIMIT ?"  # noqa: S608
_SINCE = "CASE sent_at WHEN 0.0 THEN claimed_at ELSE sent_at END"
_UNSETTLED = (
    f"SELECT state, partner, upstream, operation, count(*), min({_SINCE}), sum({_SINCE} < ?) "  # noqa: S608
    f"FROM calls WHERE {OPEN} GROUP BY state, partner, upstream, operation"
)

_FORMAT = "SELECT value FROM meta WHERE name = 'version'"
_WITHOUT_LINKS = (
    f"CREATE TEMP VIEW calls AS SELECT *, {', '.join(f'NULL AS {name}' for name in LINKS)} "  # noqa: S608
    "FROM main.calls"
)
"""A file that no sidecar of this release has opened yet is read as it is."""


def find(path: Path, query: Query) -> list[Record]:
    """Rows of a journal file, whether or not a sidecar holds it. Raises sqlite3.Error."""
    marks = ", ".join("?" * len(query.states))
    where = f"{OPEN} AND " if _OPEN_STATES.issuperset(query.states) else ""
    where += f"state IN ({marks}) AND changed_at BETWEEN ? AND ? AND (changed_at, id) > (?, ?)"
    asked: list[object] = [*query.states, query.changed_from, query.changed_to, *query.after]
    if query.partner is not None:
        where += " AND partner = ?"
        asked.append(query.partner)
    if query.blocked:
        where += " AND blocked > 0"
    statement = f"SELECT {_NAMES} FROM calls WHERE {where} ORDER BY changed_at, id LIMIT ?"  # noqa: S608
    with reading(path) as connection:
        return [record(row) for row in connection.execute(statement, (*asked, query.limit))]


def named(path: Path, key: str) -> list[Record]:
    """Rows with this key, or with an id that begins so. Raises sqlite3.Error.

    Two questions, for each of which there is an index.
    """
    with reading(path) as connection:
        blocks = connection.execute(_INDEXED, (BY_KEY,)).fetchone() is not None
        asked = _BY_KEY if blocks else _BY_KEY_ALONE
        by_key = connection.execute(asked, (key, NAMED_MAX)).fetchall()
        bounds = id_bounds(key)
        by_id = connection.execute(_BY_ID, (*bounds, NAMED_MAX)).fetchall() if bounds else []
    found = {row.id: row for row in map(record, by_key + by_id)}
    return list(found.values())[:NAMED_MAX]


def unsettled(path: Path, before: float) -> list[Unsettled]:
    """What has no end, counted by state, upstream and operation. Raises sqlite3.Error."""
    with reading(path) as connection:
        return [Unsettled(*row) for row in connection.execute(_UNSETTLED, (before,))]


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
        connection.execute("PRAGMA temp_store = MEMORY")  # there may be no folder for it
        if connection.execute(_FORMAT).fetchone() == (1,):
            connection.execute(_WITHOUT_LINKS)
        yield connection
    finally:
        connection.close()
