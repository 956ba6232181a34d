"""A journal of a million calls, written past the sidecar and into the file, in half a minute."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

from proxy.idempotency.record import Record, Scope, State, check
from proxy.idempotency.rows import COLUMNS, values
from proxy.idempotency.sqlite_ids import Ids
from proxy.idempotency.sqlite_read import WORKING_FROM
from proxy.idempotency.sqlite_schema import SET_META

_ANSWER_BYTES = 400
"""A sealed answer of the sandbox has about as many."""
_CHECKED_EVERY = 1_000
_DOUBTFUL_EVERY = 5_000
_SENDING_OF = 10_000
"""A few rows have no end, and the start has to find them: one of so many is in doubt, wherever it
stands, and as many of these, the newest, were at work when the process died.
"""


def age(path: Path, rows: int) -> None:
    """Fill a journal that a sidecar has made and left. Only the disk at the end waits."""
    names, marks = ", ".join(COLUMNS), ", ".join("?" * len(COLUMNS))
    connection = sqlite3.connect(path)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1000000")
        with connection:
            connection.executemany(
                f"INSERT INTO calls ({names}) VALUES ({marks})", map(values, _records(rows))
            )
            connection.execute(SET_META, (WORKING_FROM, rows - rows // _SENDING_OF))
        ids = Ids(connection)
        with connection:
            while ids.write():
                pass
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def forget_pages(path: Path) -> None:
    """Take the file out of the page cache, so that a start reads it from the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(descriptor)


def _records(count: int) -> Iterator[Record]:
    now = time.time()
    ended = count - count // _SENDING_OF
    for number in range(count):
        state = State.SENDING if number >= ended else State.SETTLED
        if state is State.SETTLED and number % _DOUBTFUL_EVERY == 0:
            state = State.IN_DOUBT
        row = _record(number, now - count + number, state)
        if number % _CHECKED_EVERY == 0 or number >= ended:
            check(row)
        yield row


def _record(number: int, at: float, state: State) -> Record:
    ended = state is State.SETTLED
    return Record(
        id=os.urandom(16), scope=Scope("default", "acquirer", "authorize", f"aged-{number}"),
        fingerprint=b"\0" * 32, state=state, token=1, owner="aged:1", call=f"{number:024x}",
        claimed_at=at, changed_at=at, changed_kept=0.0, attempt=1, partner="acquirer",
        upstream="acquirer", partner_key=f"tg-{number:061x}", sent_at=at,
        doubts=int(state is State.IN_DOUBT), send_by=at + 5.0, status=200 if ended else 0,
        execution="done" if ended else "unknown", reason="answered" if ended else "",
        answer=os.urandom(_ANSWER_BYTES) if ended else b"",
    )  # fmt: skip
