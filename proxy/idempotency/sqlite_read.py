"""Reading a journal file: for people and reports, on connections that cannot write.

It works beside a sidecar that holds the file, and without one.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from proxy.idempotency.id_filter import BLOCK_SHIFT
from proxy.idempotency.record import Record, State
from proxy.idempotency.rows import COLUMNS, LINKS, id_bounds, record
from proxy.idempotency.store import NAMED_MAX, Query
from proxy.model.unsettled import Unsettled

_NAMES = ", ".join(COLUMNS)
WORKING_FROM = "working_from"
"""The name in `meta` of a number below which no row is at work. A row that comes to work again goes
to the end of the table, so what has to be looked through is about as long as calls take."""
DOUBT = "state = 'in_doubt'"
"""The condition of the index of rows in doubt, by time. SQLite uses such an index only for a query
that says the very same, and without it reads a million rows to find ten."""
LOOKED_FROM = f"SELECT coalesce(max(value), 0) FROM meta WHERE name = '{WORKING_FROM}'"  # noqa: S608
WORKING = f"state IN ('claimed', 'sending') AND number >= ({LOOKED_FROM})"
_OPEN_STATES = frozenset((State.CLAIMED, State.SENDING, State.IN_DOUBT))
BY_ID, BY_KEY = "calls_block_id", "calls_block_key"
BLOCK = f"number >> {BLOCK_SHIFT}"
"""Ids and keys are indexed by blocks of 4096 rows, in the order in which they came. They are
random, so in an index of all of them each new one changes a page of its own; here it is one of the
few pages of the newest block. One is looked for in each block: a million rows have 245 of them."""
_IN_BLOCKS = (
    "WITH RECURSIVE blocks (block) AS ("  # noqa: S608 - names of ours
    f"SELECT min({BLOCK}) FROM calls UNION ALL "
    f"SELECT block + 1 FROM blocks WHERE block < (SELECT max(number) >> {BLOCK_SHIFT} FROM calls)) "
    f"SELECT {_NAMES} FROM blocks CROSS JOIN calls ON {BLOCK} = block AND "
)
_IN_ALL = f"SELECT {_NAMES} FROM calls WHERE "  # noqa: S608
"""For a file that an earlier release made, with indexes of all."""
_KEY_IS, _ID_IS = "idem_key = ? LIMIT ?", "id BETWEEN ? AND ? LIMIT ?"
_INDEXED = "SELECT 1 FROM main.sqlite_master WHERE name = ?"
_SINCE = "CASE sent_at WHEN 0.0 THEN claimed_at ELSE sent_at END"
_UNSETTLED = (
    f"SELECT state, partner, upstream, operation, count(*), min({_SINCE}), sum({_SINCE} < ?) "  # noqa: S608
    f"FROM (SELECT * FROM calls WHERE {DOUBT} UNION ALL SELECT * FROM calls WHERE {WORKING}) "
    "GROUP BY state, partner, upstream, operation"
)

_FORMAT = "SELECT value FROM meta WHERE name = 'version'"
_WITHOUT_LINKS = (
    f"CREATE TEMP VIEW calls AS SELECT *, {', '.join(f'NULL AS {name}' for name in LINKS)} "  # noqa: S608
    "FROM main.calls"
)
"""A file that no sidecar of this release has opened yet is read as it is."""


def find(path: Path, query: Query) -> list[Record]:
    """Rows of a journal file, whether or not a sidecar holds it. Raises sqlite3.Error."""
    where = "changed_at BETWEEN ? AND ? AND (changed_at, id) > (?, ?)"
    asked: list[object] = [query.changed_from, query.changed_to, *query.after]
    if query.partner is not None:
        where += " AND partner = ?"
        asked.append(query.partner)
    if query.blocked:
        where += " AND blocked > 0"
    kinds = _kinds(query.states)
    if not kinds:
        return []
    parts = [f"SELECT {_NAMES} FROM calls WHERE {kind} AND {where}" for kind in kinds]  # noqa: S608
    statement = f"{' UNION ALL '.join(parts)} ORDER BY changed_at, id LIMIT ?"
    with reading(path) as connection:
        found = connection.execute(statement, (*asked * len(kinds), query.limit))
        return [record(row) for row in found]


def _kinds(states: Sequence[State]) -> list[str]:
    """Conditions that these states, and no others, meet one of; rows without an end are found
    without reading those that have one.
    """
    among = "state IN ({})"
    if not _OPEN_STATES.issuperset(states):
        return [among.format(_texts(states))]
    working = [state for state in states if state is not State.IN_DOUBT]
    kinds = [DOUBT] if State.IN_DOUBT in states else []
    return kinds + ([f"{among.format(_texts(working))} AND {WORKING}"] if working else [])


def _texts(states: Iterable[State]) -> str:
    return ", ".join(f"'{state.value}'" for state in states)


def named(path: Path, key: str) -> list[Record]:
    """Rows with this key, or with an id that begins so. Raises sqlite3.Error.

    Two questions, for each of which there is an index.
    """
    with reading(path) as connection:
        by_key = _look(connection, BY_KEY, _KEY_IS, (key, NAMED_MAX))
        bounds = id_bounds(key)
        by_id = _look(connection, BY_ID, _ID_IS, (*bounds, NAMED_MAX)) if bounds else []
    found = {row.id: row for row in map(record, by_key + by_id)}
    return list(found.values())[:NAMED_MAX]


def _look(
    connection: sqlite3.Connection, index: str, condition: str, asked: tuple[object, ...]
) -> list[Any]:
    blocks = connection.execute(_INDEXED, (index,)).fetchone() is not None
    return connection.execute((_IN_BLOCKS if blocks else _IN_ALL) + condition, asked).fetchall()


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
