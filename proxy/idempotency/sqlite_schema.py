"""The tables of a journal file, and the statements that read and write one row."""

from __future__ import annotations

from proxy.idempotency.rows import COLUMNS, LINKS, MADE
from proxy.idempotency.sqlite_read import (
    BLOCK,
    BY_ID,
    BY_KEY,
    DOUBT,
    WORKING,
)

VERSION = 3
"""Format 1 had no links; formats 1 and 2 had indexes over all ids and over all rows at work."""
_NAMES = ", ".join(COLUMNS)


def _column(name: str) -> str:
    return name if name in LINKS else f"{name} NOT NULL"


_COLUMNS = ", ".join(map(_column, COLUMNS))
META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID"
SCHEMA = (
    META,
    f"CREATE TABLE IF NOT EXISTS calls (number INTEGER PRIMARY KEY, {_COLUMNS})",
    f"CREATE UNIQUE INDEX IF NOT EXISTS {BY_ID} ON calls ({BLOCK}, id)",
    f"CREATE INDEX IF NOT EXISTS {BY_KEY} ON calls ({BLOCK}, idem_key)",
    f"CREATE INDEX IF NOT EXISTS calls_in_doubt ON calls (changed_at) WHERE {DOUBT}",
    *(
        f"CREATE INDEX IF NOT EXISTS calls_{name} ON calls ({name}) WHERE {name} IS NOT NULL"
        for name in LINKS
    ),
    "CREATE TABLE IF NOT EXISTS filters (stretch INTEGER PRIMARY KEY, check_sum, bits)",
)
"""Of rows without an end, only those in doubt have an index. Every call is at work for a while: to
put it into an index and to take it out again is one page more in each of its two commits. What is
at work stands at the end of the table, see WORKING_FROM."""
KEPT = 5
"""The first so many columns, which say whose row it is, stay as they are."""
_CHANGING = COLUMNS[KEPT:]
_PARAMETERS_MAX = 999
"""Of one statement, in the oldest SQLite that may be found."""
_WIDTH = 1 + len(COLUMNS)
_ROW = f"({', '.join('?' * _WIDTH)})"
_UPDATE = f"UPDATE SET {', '.join(f'{name}=excluded.{name}' for name in _CHANGING)}"
_INSERT = f"INSERT INTO calls (number, {_NAMES}) VALUES"
SAVES = {
    count: f"{_INSERT} {', '.join([_ROW] * count)} ON CONFLICT (number) DO {_UPDATE}"
    for count in (30, 16, 8, 4, 2, 1)
    if count * _WIDTH <= _PARAMETERS_MAX
}
"""By number of rows, most first; each with its number and its columns."""
SAVE = SAVES[1]
ADD = f"{_INSERT} {_ROW}"
CHANGE = f"UPDATE calls SET {', '.join(f'{name}=?' for name in _CHANGING)} WHERE number=?"  # noqa: S608 - names of ours
"""Of one row: the columns behind KEPT, and then its number."""
DELETE = "DELETE FROM calls WHERE number = ?"
FIND = f"SELECT number, {_NAMES} FROM calls WHERE {BLOCK} = ? AND id = ?"  # noqa: S608
BOUNDS = "SELECT (SELECT min(number) FROM calls), (SELECT max(number) FROM calls)"
"""Asked for both at once, SQLite reads every row."""
LINKED = (
    "SELECT partner, upstream FROM calls WHERE (link_request = ?1 OR link_answer = ?1) "  # noqa: S608
    f"AND {MADE} LIMIT ?2"
)
LEFT = f"SELECT number, {_NAMES} FROM calls WHERE {WORKING}"  # noqa: S608
"""Rows that are at work, or that a dead run left so."""
LEFT_NUMBERS = f"SELECT number, id FROM calls WHERE {WORKING}"  # noqa: S608
SET_META = "INSERT OR REPLACE INTO meta VALUES (?, ?)"
