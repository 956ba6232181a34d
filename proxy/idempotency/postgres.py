"""The shared store: one PostgreSQL for many sidecars.

Each change is one statement that stands alone, so nothing here depends on
sessions, locks or the order of transactions. A row is taken by the unique key
(INSERT ... ON CONFLICT DO NOTHING) and changed by compare-and-swap: every write
puts a random `revision` in, and an update names the one that it has read. When
an answer of the server is lost the row is read again: it carries our revision,
and the change was made; or the one before, and the same change is offered once
more; or another's, and everything is decided anew from what is there.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TypeVar

from proxy.idempotency.lease import Lease
from proxy.idempotency.owner import this_run
from proxy.idempotency.postgres_reports import PostgresReports
from proxy.idempotency.postgres_rows import (
    DELETE_ENDED,
    INSERT,
    READ,
    UPDATE,
    changed,
    find_statement,
    row_of,
)
from proxy.idempotency.postgres_schema import check_server, check_tables, unusable
from proxy.idempotency.postgres_wire import Lost, Unexecuted, Wire
from proxy.idempotency.record import (
    Claim,
    Instant,
    JournalError,
    Record,
    State,
    Step,
    Verdict,
)
from proxy.idempotency.rows import values
from proxy.idempotency.store import Query, StoreUnavailable
from proxy.idempotency.transitions import claim, step
from proxy.model.errors import StartError

T = TypeVar("T")
_PATIENCE = 3
"""How many statement timeouts a change is worth before whoever asked is told."""
_PAUSE_S = 0.05
_PROBE_S = 0.25
_OUR_MISTAKE = ("22", "23", "42")
"""Data that a column cannot hold, a constraint, a name: asking again changes nothing."""
_AT_WORK = (State.CLAIMED, State.SENDING)


class PostgresStore(PostgresReports):
    """See store.Store. `open` before anything else, `close` in the end.

    `timeout_s` bounds one statement; `secret` is compared with the one that the
    journal was begun with; `bug` is told of a failure that nobody waits for.
    """

    def __init__(
        self,
        url: str,
        secret: bytes,
        lease_s: float,
        bug: Callable[[Exception], None],
        *,
        connections_max: int = 8,
        timeout_s: float = 2.0,
        owner: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = url
        self._secret = secret
        self._bug = bug
        self._timeout_s = timeout_s
        self._now = now
        super().__init__(Wire(url, connections_max, timeout_s))
        self._lease_wire = Wire(url, 1, timeout_s)
        self.owner = owner or this_run()
        self._lease = Lease(self._lease_wire, self.owner, lease_s, self._swap, now)
        self._bits = random.SystemRandom().getrandbits
        self._active: dict[bytes, tuple[Record, int]] = {}
        """Rows at work here and their revisions, as they were written last."""
        self._turns: dict[bytes, tuple[asyncio.Lock, int]] = {}
        """By row: whose turn it is, and how many steps want one."""
        self._waiting: dict[object, float] = {}
        self._down = True
        self._beating: asyncio.Task[None] | None = None

    async def open(self) -> dict[State, int]:
        """Check the server and the tables, and take over what a dead run of this machine left.

        How many rows that were, by their new state. Raises StartError.
        """
        try:
            await check_server(self._wire, self._url)
            await check_tables(self._wire, self._url, self._secret)
            await self._lease.beat()
            resumed = await self._lease.take_over()
        except (Lost, Unexecuted) as error:
            await self.close()
            raise unusable(self._url, error) from None
        except StartError:
            await self.close()
            raise
        self._down = False
        self._beating = asyncio.create_task(self._keep_beating())
        return resumed

    # -- the contract -----------------------------------------------------------------

    def instant(self) -> Instant:
        """Now by the clock of the server."""
        return self._lease.instant()

    async def claim(self, wanted: Claim) -> tuple[Verdict, Record]:
        """Take a key if it is free."""

        def decide(row: Record | None) -> tuple[Verdict, Record]:
            return claim(row, wanted, self.instant())

        with self._waits():
            return await self._change(wanted.id, decide, unread=wanted.id not in self._active)

    async def step(self, row_id: bytes, token: int, made: Step) -> Record:
        """Change a row under the token of its claim."""

        def decide(row: Record | None) -> tuple[None, Record]:
            return None, step(row, token, made, self.instant())

        with self._waits():
            async with self._turn(row_id):
                return (await self._change(row_id, decide))[1]

    @asynccontextmanager
    async def _turn(self, row_id: bytes) -> AsyncIterator[None]:
        """Steps of one row in the order in which they were asked for, however long one waits for
        the server: a fence that came after the ending of its run would stay for ever.
        """
        lock, count = self._turns.get(row_id, (asyncio.Lock(), 0))
        self._turns[row_id] = (lock, count + 1)
        try:
            async with lock:
                yield
        finally:
            lock, count = self._turns.pop(row_id)
            if count > 1:
                self._turns[row_id] = (lock, count - 1)

    async def read(self, row_id: bytes) -> Record | None:
        """A row as it stands."""
        found = await self._asked(self._load(row_id))
        return None if found is None else found[0]

    async def find(self, query: Query) -> Sequence[Record]:
        """Rows by state, partner and time."""
        statement, asked = find_statement(query, self.owner)
        return [row_of(each)[0] for each in await self._asked(self._wire.fetch(statement, *asked))]

    async def purge(self, kept_s: float, limit: int) -> int:
        """Delete the oldest rows that ended longer ago than that, by the clock that never jumps."""
        before = self.instant().kept - kept_s
        return len(await self._asked(self._wire.fetch(DELETE_ENDED, before, limit)))

    async def close(self) -> None:
        """Leave: what this run still holds may be taken over at once."""
        if self._beating is not None:
            self._beating.cancel()
            await asyncio.gather(self._beating, return_exceptions=True)
        with suppress(Lost, Unexecuted):  # then it ends by itself
            await self._lease.leave()
        await asyncio.gather(self._wire.close(), self._lease_wire.close())

    # -- availability -------------------------------------------------------------------

    def waiting_s(self) -> float:
        """How long the oldest change has been waiting for the server."""
        return self._now() - next(iter(self._waiting.values())) if self._waiting else 0.0

    @property
    def takes_claims(self) -> bool:
        """Whether the server answered the last time that it was asked."""
        return not self._down

    @contextmanager
    def _waits(self) -> Iterator[None]:
        mark = object()
        self._waiting[mark] = self._now()
        try:
            yield
        finally:
            del self._waiting[mark]

    async def _keep_beating(self) -> None:
        """Renew the lease, find out when the server is back, and take over from the dead."""
        while True:
            await asyncio.sleep(_PROBE_S if self._down else self._lease.every_s)
            try:
                await self._lease.beat()
                await self._lease.take_over()
            except (Lost, Unexecuted):
                self._down = True
            except Exception as error:  # noqa: BLE001 - a row that cannot be must not end the lease
                self._bug(error)
            else:
                self._down = False

    # -- one change ---------------------------------------------------------------------

    async def _change(
        self,
        row_id: bytes,
        decide: Callable[[Record | None], tuple[T, Record]],
        *,
        unread: bool = False,
    ) -> tuple[T, Record]:
        """What `decide` makes of the row, durable. `unread`: try without looking for one first."""
        ends_at = self._now() + _PATIENCE * self._timeout_s
        at_hand = self._active.get(row_id)
        tried: dict[int, tuple[T, Record]] = {}
        """By revision: what may have been written already."""
        while True:
            try:
                if at_hand is None and not unread:
                    at_hand = await self._load(row_id)
                    if at_hand is not None and at_hand[1] in tried:
                        self._remember(*at_hand)
                        return tried[at_hand[1]]
                unread = False
                before, revision = (None, None) if at_hand is None else at_hand
                decided = decide(before)
                if decided[1] is before:
                    return decided
                mine = self._bits(63)
                tried[mine] = decided
                if await self._write(before, revision, decided[1], mine):
                    self._remember(decided[1], mine)
                    return decided
            except Lost:
                await self._pause(ends_at)
            except Unexecuted as error:
                await self._refused(error, ends_at)
            self._active.pop(row_id, None)
            at_hand = None

    async def _pause(self, ends_at: float) -> None:
        if self._now() >= ends_at:
            self._down = True
            raise StoreUnavailable
        await asyncio.sleep(_PAUSE_S)

    async def _refused(self, error: Unexecuted, ends_at: float) -> None:
        """A conflict goes away; what no server could take is a bug; the rest is its state."""
        if error.conflict:
            await self._pause(ends_at)
        elif error.state.startswith(_OUR_MISTAKE):
            raise JournalError(f"the server refuses a change with SQLSTATE {error.state}")
        else:
            self._down = True
            raise StoreUnavailable

    async def _write(
        self, before: Record | None, revision: int | None, after: Record, mine: int
    ) -> bool:
        """Put `after` in the place of what was read; False if that is there no more."""
        if before is None:
            return bool(await self._wire.fetch(INSERT, *values(after), mine))
        return bool(await self._wire.fetch(UPDATE, *changed(after), mine, revision))

    async def _swap(self, before: Record, revision: int, after: Record) -> bool:
        return await self._write(before, revision, after, self._bits(63))

    def _remember(self, row: Record, revision: int) -> None:
        if row.state in _AT_WORK and row.owner == self.owner:
            self._active[row.id] = (row, revision)
        else:
            self._active.pop(row.id, None)

    async def _load(self, row_id: bytes) -> tuple[Record, int] | None:
        found = await self._wire.fetch(READ, row_id)
        return row_of(found[0]) if found else None
