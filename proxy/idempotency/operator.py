"""What operators ask of a journal file, beside a running sidecar or without one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from proxy.idempotency import sqlite_read
from proxy.idempotency.record import Instant, Record, Release, Settle
from proxy.idempotency.rows import record, values
from proxy.idempotency.sqlite import transaction
from proxy.idempotency.sqlite_open import connect, lock_out_others, usable
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.sqlite_schema import READ, SAVE
from proxy.idempotency.store import Query
from proxy.idempotency.transitions import step
from proxy.model.errors import StartError

_PAGE = 1000


def all_rows(path: Path, query: Query) -> Iterator[Record]:
    """Every row that a query asks for, page after page, up to its limit."""
    left = query.limit
    while left > 0:
        page = find(path, replace(query, limit=min(_PAGE, left)))
        yield from page
        if len(page) < _PAGE:
            return
        left -= len(page)
        query = replace(query, after=(page[-1].changed_at, page[-1].id))


def named(path: Path, name: str) -> list[Record]:
    """The rows with this key, in whatever scope, or with an id that begins so."""
    return sqlite_read.named(path, name)


def resolve(path: Path, row_id: bytes, *, done: bool, reason: str, wall: float) -> Record:
    """An operator's word on a call, recorded with the reason. Raises StartError, JournalError.

    It needs the file for itself, so the sidecar must not run.
    """
    if not path.exists():
        raise StartError(f"there is no journal {path}; check `journal.path`")
    with usable(path), lock_out_others(path):
        connection = connect(path)
        try:
            with transaction(connection):
                found = connection.execute(READ, (row_id,)).fetchone()
                if found is None:
                    raise StartError(f"there is no call {row_id.hex()} in {path}")
                row = record(found)
                made = (
                    Settle(row.status, "resolved", b"", reason)
                    if done
                    else Release("resolved", of_all=True, note=reason)
                )
                after = step(row, row.token, made, Instant(wall, row.changed_kept))
                connection.execute(SAVE, values(after))
        finally:
            connection.close()
    return after
