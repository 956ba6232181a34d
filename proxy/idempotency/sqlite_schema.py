"""The tables of a journal file, and the statements that read and write one row."""

from __future__ import annotations

from proxy.idempotency.rows import COLUMNS
from proxy.idempotency.sqlite_read import OPEN

VERSION = 1
_NAMES = ", ".join(COLUMNS)
SCHEMA = f"""
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS calls (
  number INTEGER PRIMARY KEY,
  {", ".join(name + (" BLOB NOT NULL UNIQUE" if name == "id" else " NOT NULL") for name in COLUMNS)}
);
CREATE INDEX IF NOT EXISTS calls_open ON calls (changed_at)
  WHERE {OPEN};
CREATE INDEX IF NOT EXISTS calls_key ON calls (idem_key);
"""
_CHANGING = tuple(
    name for name in COLUMNS if name not in ("id", "tenant", "scope_group", "operation", "idem_key")
)
"""An index is written for each column that a statement names, whether or not it changes."""
READ = f"SELECT {_NAMES} FROM calls WHERE id = ?"  # noqa: S608 - names of ours
SAVE = (
    f"INSERT INTO calls ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))}) "  # noqa: S608
    f"ON CONFLICT (id) DO UPDATE SET {', '.join(f'{name}=excluded.{name}' for name in _CHANGING)}"
)
OPEN_ROWS = f"SELECT {_NAMES} FROM calls WHERE {OPEN}"  # noqa: S608
