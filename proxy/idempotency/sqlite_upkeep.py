"""What is done to many rows of a journal file at once, on the writing thread.

Each piece of work looks at a bounded number of rows, since the changes of calls
wait behind it for the same commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from proxy.idempotency.record import State
from proxy.idempotency.sqlite_schema import INDEX_KEYS, KEY_INDEXES
from proxy.idempotency.store import SealAgain

_ENDED = frozenset((State.SETTLED.value, State.RELEASED.value))


def index_keys(connection: sqlite3.Connection) -> None:
    """Make the index of keys where there is none, so in a new file.

    One that an earlier release filled keeps its index of keys alone: to make another takes
    room and time, and whether the journal opens must not hang on that.
    """
    if connection.execute(KEY_INDEXES).fetchone() is None:
        connection.execute(INDEX_KEYS)


def purge(
    connection: sqlite3.Connection, kept_before: float, limit: int, begin: int
) -> tuple[int, int]:
    """Delete rows that ended before; (how many, where the next look begins).

    It looks at `limit` rows, oldest first, so that commits do not wait for a whole table. The
    next look goes on behind rows that stay because nobody knows their end, and begins anew
    once most rows are too young.
    """
    looked_at = connection.execute(
        "SELECT number, state, changed_kept FROM calls WHERE number > ? ORDER BY number LIMIT ?",
        (begin, limit),
    ).fetchall()
    ended = [(number, kept) for number, state, kept in looked_at if state in _ENDED]
    due = [(number,) for number, kept in ended if kept < kept_before]
    connection.executemany("DELETE FROM calls WHERE number = ?", due)
    young = len(ended) - len(due) > len(ended) // 2
    return len(due), looked_at[-1][0] if looked_at and not young else 0


def note_blocked(connection: sqlite3.Connection, counts: Mapping[bytes, tuple[int, float]]) -> None:
    """Add to the rows how many calls with their key were blocked, and when the last one was."""
    connection.executemany(
        "UPDATE calls SET blocked = blocked + ?, blocked_at = max(blocked_at, ?) WHERE id = ?",
        [(number, at, row_id) for row_id, (number, at) in counts.items()],
    )


def reseal(
    connection: sqlite3.Connection, seal_again: SealAgain, limit: int, after: bytes
) -> tuple[bytes, list[bytes]]:
    """Seal answers anew; (the last row looked at, b"" at the end; the rows that were changed)."""
    found = connection.execute(
        "SELECT id, answer FROM calls WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
    ).fetchall()
    changed: list[bytes] = []
    for row_id, answer in found:
        sealed = seal_again(row_id, answer) if answer else None
        if sealed is not None:
            connection.execute("UPDATE calls SET answer = ? WHERE id = ?", (sealed, row_id))
            changed.append(row_id)
    return found[-1][0] if len(found) == limit else b"", changed
