"""Brings a journal file to the format of this release: a new one, and one of an earlier release."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

from proxy.idempotency.rows import COLUMNS
from proxy.idempotency.sqlite_open import transaction
from proxy.idempotency.sqlite_schema import META, SCHEMA, SET_META, VERSION
from proxy.model.errors import StartError

_OLDER = (1, 2)
_INDEXES = (
    "SELECT name FROM sqlite_master WHERE tbl_name = 'calls' AND type = 'index' AND sql NOT NULL"
)
_ROWS_PER_S = 50_000
_ASIDE = "calls_of_before"


def unsaid(_: str) -> None:
    """Nobody is to hear of it."""


def prepare(
    connection: sqlite3.Connection, path: Path, say: Callable[[str], None] = unsaid
) -> float:
    """Make the tables; how long the journal had been open before. Raises StartError, sqlite3.Error.

    `say` is told before what takes long.

    A file of this format is not written to, so a full disk does not keep it from being opened. One
    of an earlier release is rewritten, all of it or nothing: that needs as much room on the disk
    again, and some twenty seconds for a million rows.
    """
    connection.execute(META)
    found = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    version = found.get("version", VERSION)
    if version not in (*_OLDER, VERSION):
        raise StartError(
            f"the journal {path} has format {version}, this release reads "
            f"{VERSION}; run the release that wrote it, or a newer one"
        )
    with transaction(connection):
        if version in _OLDER:
            rows = connection.execute("SELECT count(*) FROM calls").fetchone()[0]
            say(f"rewriting the journal {path} of an earlier release: {rows:,} rows, some "
                f"{1 + rows // _ROWS_PER_S} s")  # fmt: skip
            _rewrite(connection)
        for statement in SCHEMA:
            connection.execute(statement)
        if found.get("version") != VERSION:
            connection.execute(SET_META, ("version", VERSION))
    return float(found.get("kept", 0.0))


def pair(connection: sqlite3.Connection, path: Path, proof: str) -> None:
    """Remember which keys the journal has, or see that they are the same. Raises StartError.

    Under other keys each payment that it knows would look new: one with a derived key would be
    made again, and any other be refused as another request.
    """
    found = connection.execute("SELECT value FROM meta WHERE name = 'keys'").fetchone()
    if found is None:
        connection.execute(SET_META, ("keys", proof))
    elif found[0] != proof:
        raise StartError(
            f"the journal {path} and the keys beside it do not belong together; restore both "
            "from one backup, or move both away and ask the partners for what is in doubt"
        )


def _rewrite(connection: sqlite3.Connection) -> None:
    """The same rows in a table of this format: SQLite cannot take an index out of a table."""
    for (name,) in connection.execute(_INDEXES).fetchall():
        connection.execute(f"DROP INDEX {name}")
    columns = {row[1] for row in connection.execute("PRAGMA table_info(calls)")}
    kept = ", ".join(("number", *(name for name in COLUMNS if name in columns)))
    connection.execute(f"ALTER TABLE calls RENAME TO {_ASIDE}")
    for statement in SCHEMA:
        connection.execute(statement)
    connection.execute(
        f"INSERT INTO calls ({kept}) SELECT {kept} FROM {_ASIDE} ORDER BY number"  # noqa: S608
    )
    connection.execute(f"DROP TABLE {_ASIDE}")
