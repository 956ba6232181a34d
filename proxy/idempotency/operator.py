"""What operators ask of a journal from a command line: of a file here, of a shared one in
postgres_operator.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol

from proxy.idempotency import sqlite_read
from proxy.idempotency.record import Instant, Record, Release, Settle, Step
from proxy.idempotency.reseal import Resealed, reseal_file
from proxy.idempotency.sqlite_batch import Batch
from proxy.idempotency.sqlite_format import prepare
from proxy.idempotency.sqlite_open import connect, lock_out_others, transaction, usable
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.store import Query
from proxy.idempotency.transitions import step
from proxy.model.errors import StartError

_PAGE = 1000


class Source(Protocol):
    """A journal, wherever it is. Each method may raise StartError."""

    def rows(self, query: Query) -> Iterator[Record]:
        """Every row that a query asks for."""

    def named(self, name: str) -> Sequence[Record]:
        """The rows with this key, in whatever scope, or with an id that begins so."""

    def resolve(self, row_id: bytes, *, done: bool, reason: str, wall: float) -> Record:
        """An operator's word on a call, recorded with the reason. Raises JournalError, too."""

    def reseal(self, sealing: Mapping[str, bytes], told: Callable[[Resealed], None]) -> Resealed:
        """Seal every answer anew with the first of these keys."""


class FileSource:
    """A journal file, beside a running sidecar or without one; see Source."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, query: Query) -> Iterator[Record]:
        """Every row that a query asks for."""
        return all_rows(self._path, query)

    def named(self, name: str) -> Sequence[Record]:
        """The rows with this key, or with an id that begins so."""
        return named(self._path, name)

    def resolve(self, row_id: bytes, *, done: bool, reason: str, wall: float) -> Record:
        """An operator's word on a call; the sidecar must not run."""
        return resolve(self._path, row_id, done=done, reason=reason, wall=wall)

    def reseal(self, sealing: Mapping[str, bytes], told: Callable[[Resealed], None]) -> Resealed:
        """Seal every answer anew; the sidecar must not run."""
        return reseal_file(self._path, sealing, told)


def all_rows(path: Path, query: Query) -> Iterator[Record]:
    """Every row of a file that a query asks for."""
    return pages(partial(find, path), query)


def pages(find: Callable[[Query], Sequence[Record]], query: Query) -> Iterator[Record]:
    """Every row that a query asks for, page after page, up to its limit."""
    left = query.limit
    while left > 0:
        page = find(replace(query, limit=min(_PAGE, left)))
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
            prepare(connection, path)  # no sidecar of this release may have opened it yet
            with transaction(connection):
                rows = Batch(connection)
                row = rows.load(row_id)
                if row is None:
                    raise StartError(f"there is no call {row_id.hex()} in {path}")
                made = word(row, done=done, reason=reason)
                after = step(row, row.token, made, Instant(wall, row.changed_kept))
                rows.save(after)
                rows.flush()
        finally:
            connection.close()
    return after


def word(row: Record, *, done: bool, reason: str) -> Step:
    """An operator's word as a step."""
    if done:
        return Settle(row.status, "resolved", b"", reason, by_operator=True)
    return Release("resolved", of_all=True, note=reason)
