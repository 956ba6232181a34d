"""What is done to many rows of a journal file at once, on the writing thread.

Each piece of work looks at a bounded number of rows, since the changes of calls
wait behind it for the same commit.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from proxy.idempotency.record import State
from proxy.idempotency.sqlite_schema import BOUNDS, DELETE
from proxy.idempotency.store import SealAgain

_SHARE_BYTES = 4
_ENDED = frozenset((State.SETTLED.value, State.RELEASED.value))


def purge(
    connection: sqlite3.Connection, kept_before: float, limit: int, begin: int
) -> tuple[list[int], int]:
    """Delete rows that ended before; (their numbers, where the next look begins).

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
    connection.executemany(DELETE, due)
    young = len(ended) - len(due) > len(ended) // 2
    gone = [number for (number,) in due]
    return gone, looked_at[-1][0] if looked_at and not young else 0


def note_blocked(connection: sqlite3.Connection, counts: Iterable[tuple[int, int, float]]) -> None:
    """Add to rows how many calls with their key were blocked, and when the last one was: each by
    its number.
    """
    connection.executemany(
        "UPDATE calls SET blocked = blocked + ?, blocked_at = max(blocked_at, ?) WHERE number = ?",
        [(count, at, number) for number, count, at in counts],
    )


def reseal(
    connection: sqlite3.Connection, seal_again: SealAgain, limit: int, after: bytes
) -> tuple[bytes, list[bytes]]:
    """Seal answers anew; (where it got, b"" at the end; the rows that were changed)."""
    begin = int.from_bytes(after[_SHARE_BYTES:], "big")
    found = connection.execute(
        "SELECT number, id, answer FROM calls WHERE number > ? ORDER BY number LIMIT ?",
        (begin, limit),
    ).fetchall()
    changed: list[bytes] = []
    for number, row_id, answer in found:
        sealed = seal_again(row_id, answer) if answer else None
        if sealed is not None:
            connection.execute("UPDATE calls SET answer = ? WHERE number = ?", (sealed, number))
            changed.append(row_id)
    return _cursor(connection, found[-1][0]) if len(found) == limit else b"", changed


def _cursor(connection: sqlite3.Connection, number: int) -> bytes:
    """Where a resealing stands, see store.Store."""
    lowest, highest = connection.execute(BOUNDS).fetchone()
    share = (number - lowest) / (highest - lowest + 1)
    return int(share * 256**_SHARE_BYTES).to_bytes(_SHARE_BYTES, "big") + number.to_bytes(8, "big")
