"""The tables of a journal file, and the statements that read and write one row."""

from __future__ import annotations

from proxy.idempotency.rows import COLUMNS, LINKS, MADE
from proxy.idempotency.sqlite_read import BLOCK, BY_KEY, OPEN

VERSION = 2
"""Format 1 had no links."""
_NAMES = ", ".join(COLUMNS)


def _column(name: str) -> str:
    if name in LINKS:
        return name
    return name + (" BLOB NOT NULL UNIQUE" if name == "id" else " NOT NULL")


META = "CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID"
SCHEMA = f"""
{META};
CREATE TABLE IF NOT EXISTS calls (
  number INTEGER PRIMARY KEY,
  {", ".join(_column(name) for name in COLUMNS)}
);
CREATE INDEX IF NOT EXISTS calls_open ON calls (changed_at)
  WHERE {OPEN};
CREATE INDEX IF NOT EXISTS calls_link_request ON calls (link_request)
  WHERE link_request IS NOT NULL;
CREATE INDEX IF NOT EXISTS calls_link_answer ON calls (link_answer) WHERE link_answer IS NOT NULL;
"""
"""And one of two indexes of keys, see `index_keys`."""
KEY_INDEXES = f"SELECT 1 FROM sqlite_master WHERE name IN ('{BY_KEY}', 'calls_key')"  # noqa: S608
INDEX_KEYS = f"CREATE INDEX {BY_KEY} ON calls ({BLOCK}, idem_key)"
UPGRADES = {1: tuple(f"ALTER TABLE calls ADD COLUMN {name}" for name in LINKS)}
"""From an older format to the next one, in one transaction."""
KEPT = 5
"""The first so many columns, which say whose row it is, stay as they are."""
_CHANGING = COLUMNS[KEPT:]
"""An index is written for each column that a statement names, whether or not it changes."""
_PARAMETERS_MAX = 999
"""Of one statement, in the oldest SQLite that may be found."""
READ = f"SELECT {_NAMES} FROM calls WHERE id = ?"  # noqa: S608 - names of ours
_ROW = f"({', '.join('?' * len(COLUMNS))})"
_UPDATE = f"UPDATE SET {', '.join(f'{name}=excluded.{name}' for name in _CHANGING)}"
SAVES = {
    count: f"INSERT INTO calls ({_NAMES}) VALUES {', '.join([_ROW] * count)} "  # noqa: S608
    f"ON CONFLICT (id) DO {_UPDATE}"
    for count in (31, 16, 8, 4, 2, 1)
    if count * len(COLUMNS) <= _PARAMETERS_MAX
}
"""By number of rows, most first."""
SAVE = SAVES[1]
ADD = f"INSERT INTO calls ({_NAMES}) VALUES {_ROW} ON CONFLICT (id) DO NOTHING"  # noqa: S608
CHANGE = f"UPDATE calls SET {', '.join(f'{name}=?' for name in _CHANGING)} WHERE id=?"  # noqa: S608
"""Of one row: the columns behind KEPT, and then its id."""


def reads(count: int) -> tuple[str, list[bytes]]:
    """A statement that reads so many rows by their ids, and what to fill its parameters up with.

    Their number is rounded up, so that there are few statements to compile.
    """
    rounded = 1 << (count - 1).bit_length()
    marks = ", ".join("?" * rounded)
    return f"SELECT {_NAMES} FROM calls WHERE id IN ({marks})", [b""] * (rounded - count)  # noqa: S608


LINKED = (
    "SELECT partner, upstream FROM calls WHERE (link_request = ?1 OR link_answer = ?1) "  # noqa: S608
    f"AND {MADE} LIMIT ?2"
)
OPEN_ROWS = f"SELECT {_NAMES} FROM calls WHERE {OPEN}"  # noqa: S608
