"""The embedded store: one SQLite file beside the sidecar.

One process holds it (flock), one thread writes to it, and each answer is on the
disk before anybody hears of it: WAL with synchronous=FULL, both read back. A
sync that failed is the end: what is on the disk is then unknown, so the sidecar
stops and begins again from the file. Reading for people goes through
connections of their own that only read.
"""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from proxy.idempotency.ballast import Ballast
from proxy.idempotency.record import TAKEN, Claim, Instant, Record, State, Step, Verdict
from proxy.idempotency.rows import record
from proxy.idempotency.sqlite_batch import Batch
from proxy.idempotency.sqlite_format import pair, prepare, unsaid
from proxy.idempotency.sqlite_open import connect, lock_out_others, transaction, usable
from proxy.idempotency.sqlite_read import WORKING_FROM, counts, find, named, unsettled
from proxy.idempotency.sqlite_schema import LEFT, LINKED, SET_META
from proxy.idempotency.sqlite_upkeep import note_blocked, purge, reseal
from proxy.idempotency.store import Query, SealAgain, StoreUnavailable
from proxy.idempotency.transitions import after_crash, claim, step
from proxy.idempotency.writer import Writer
from proxy.model.affinity import PLACES_MAX, Place
from proxy.model.unsettled import Unsettled

T = TypeVar("T")
_KEPT_EVERY_S = 1.0
_FULL = "the journal's disk is full: calls with a key are refused until there is room"
_ROOM = "the journal's disk has room again"


class SqliteStore:
    """See store.Store. `failed` is told when the file can be trusted no more, `say` before what
    takes long at the start, and of a full disk; `proof` is that of the journal's keys.
    """

    def __init__(
        self,
        path: Path,
        loop: asyncio.AbstractEventLoop,
        *,
        wall: Callable[[], float],
        failed: Callable[[str], None],
        say: Callable[[str], None] = unsaid,
        proof: str = "",
    ) -> None:
        self._path = path
        self._loop = loop
        self._wall = wall
        self._lock = lock_out_others(path)
        self._kept_before = self._kept_saved = 0.0
        self._opened_at = time.monotonic()
        with usable(path), contextlib.ExitStack() as undo:
            undo.callback(self._lock.close)
            self._connection = connect(path)
            undo.callback(self._connection.close)
            self._kept_before = prepare(self._connection, path, say)
            if proof:
                pair(self._connection, path, proof)
            self._rows = Batch(self._connection)
            self.resumed = self._resume()
            undo.pop_all()
        self._purged_to = 0
        self._say = say
        self._said_full = False
        self._ballast = Ballast(path.with_name(path.name + ".ballast"))
        self._writer = Writer(
            loop, self._connection, self._rows, make_room=self._ballast.release, failed=failed,
        )  # fmt: skip
        self._loop.call_later(_KEPT_EVERY_S, self._tend)
        self._closed = False

    def tell(self, ended: Callable[[asyncio.Future[Any]], None]) -> None:
        """Say so of each future that ends."""
        self._writer.ended = ended

    # -- the contract -----------------------------------------------------------------

    def instant(self) -> Instant:
        """Now; the wall clock is this machine's."""
        return Instant(self._wall(), self._kept_before + time.monotonic() - self._opened_at)

    def claim(self, wanted: Claim) -> asyncio.Future[tuple[Verdict, Record]]:
        """Take a key if it is free."""

        def work() -> tuple[Verdict, Record]:
            now = self.instant()
            if self._rows.may_add(wanted.id):
                verdict, row = claim(None, wanted, now)
                self._rows.add(row)
                return verdict, row
            verdict, row = claim(self._rows.load(wanted.id), wanted, now)
            if verdict in TAKEN:
                self._rows.save(row)
            return verdict, row

        return self._writer.submit(work, begins=True, one_row=True)

    def step(self, row_id: bytes, token: int, made: Step) -> asyncio.Future[Record]:
        """Change a row under the token of its claim."""

        def work() -> Record:
            row = step(self._rows.load(row_id), token, made, self.instant())
            self._rows.save(row)
            return row

        return self._writer.submit(work, one_row=True)

    async def read(self, row_id: bytes) -> Record | None:
        """A row as it stands."""
        return await self._writer.submit(lambda: self._rows.load(row_id))

    async def find(self, query: Query) -> Sequence[Record]:
        """Rows by state, partner and time; on a connection of its own, so no call waits for it."""
        return await self._reading(find, self._path, query)

    async def counts(self) -> dict[State, int]:
        """How many rows there are, by state."""
        return await self._reading(counts, self._path)

    async def named(self, key: str) -> Sequence[Record]:
        """Rows by key, or by the beginning of their id."""
        return await self._reading(named, self._path, key)

    async def linked(self, link: bytes) -> Sequence[Place]:
        """Where calls with this link are."""

        def work() -> list[Place]:
            self._rows.flush()
            return self._connection.execute(LINKED, (link, PLACES_MAX)).fetchall()

        return await self._writer.submit(work)

    async def unsettled(self, before: float) -> Sequence[Unsettled]:
        """What has no end, by state, upstream and operation."""
        return await self._reading(unsettled, self._path, before)

    async def _reading(self, read: Callable[..., T], *asked: object) -> T:
        try:
            return await self._loop.run_in_executor(None, read, *asked)
        except sqlite3.Error:
            raise StoreUnavailable from None

    async def purge(self, kept_s: float, limit: int) -> int:
        """Delete the oldest rows that ended longer ago than that, by the clock that never jumps."""

        def work() -> int:
            self._rows.flush()
            before = self.instant().kept - kept_s
            gone, self._purged_to = purge(self._connection, before, limit, self._purged_to)
            self._rows.purged(gone)
            return len(gone)

        return await self._writer.submit(work)

    async def note_blocked(self, counts: Mapping[bytes, tuple[int, float]]) -> None:
        """Add to rows how many calls they blocked; it waits while the disk is full."""

        def work() -> None:
            self._rows.flush()
            found = [(self._rows.number(row_id), *said) for row_id, said in counts.items()]
            there = [(number, count, at) for number, count, at in found if number is not None]
            note_blocked(self._connection, there)
            self._rows.forget(counts)

        await self._writer.submit(work, begins=True)

    async def reseal(self, seal_again: SealAgain, limit: int, after: bytes) -> tuple[bytes, int]:
        """Seal the answers of some rows anew."""

        def work() -> tuple[bytes, int]:
            self._rows.flush()
            last, changed = reseal(self._connection, seal_again, limit, after)
            self._rows.forget(changed)
            return last, len(changed)

        return await self._writer.submit(work, begins=True)

    async def close(self) -> None:
        """Write what was begun and let go of the file."""
        if self._closed:
            return
        self._closed = True
        await self._loop.run_in_executor(None, self._writer.close)
        self._connection.close()
        self._lock.close()

    # -- availability -------------------------------------------------------------------

    def waiting_s(self) -> float:
        """How long the oldest change has been waiting for the disk."""
        return self._writer.waiting_s()

    @property
    def takes_claims(self) -> bool:
        """Whether there is room for anything new."""
        return not (self._writer.full or self._writer.broken)

    def _tend(self) -> None:
        if self._closed or self._writer.broken:
            return
        if self._writer.full:
            self._see_to_room()
        kept = self.instant().kept
        if kept - self._kept_saved >= _KEPT_EVERY_S and not self._writer.full:
            self._kept_saved = kept
            saved = self._writer.submit(lambda: self._note(kept))
            saved.add_done_callback(lambda done: done.exception())
        self._loop.call_later(_KEPT_EVERY_S, self._tend)

    def _see_to_room(self) -> None:
        if not self._said_full:
            self._said_full = True
            self._say(_FULL)
        if self._ballast.restore():
            self._writer.full = self._said_full = False
            self._say(_ROOM)

    # -- on the writing thread, or before it begins ---------------------------------------

    def _note(self, kept: float) -> None:
        """What a start will want to know."""
        self._rows.flush()
        self._put("kept", kept)
        self._put(WORKING_FROM, self._rows.working_from())

    def _put(self, name: str, value: float) -> None:
        self._connection.execute(SET_META, (name, value))

    def _resume(self) -> dict[State, int]:
        """Rows that a dead run left behind: unsent ones are free, sent ones in doubt."""
        after: dict[State, int] = {}
        with transaction(self._connection):
            for _, *columns in self._connection.execute(LEFT).fetchall():
                row = after_crash(record(tuple(columns)), self.instant())
                self._rows.save(row)
                after[row.state] = after.get(row.state, 0) + 1
            self._rows.flush()
            if after:
                self._put(WORKING_FROM, self._rows.working_from())
        return after
