"""A store in memory that can lose, delay and refuse what a real one could.

The rows are the disk's and outlive every process. A process has a handle, whose
changes are made one after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TypeVar

from proxy.idempotency import transitions
from proxy.idempotency.lease import MARGIN_S
from proxy.idempotency.record import (
    TAKEN,
    Claim,
    Instant,
    JournalError,
    Record,
    State,
    Step,
    Superseded,
    Verdict,
)
from proxy.idempotency.store import Query, SealAgain, StoreUnavailable
from proxy.model.affinity import Place
from proxy.model.unsettled import Unsettled
from tests.simulation.virtual import VirtualLoop
from tests.support.manual_clock import ManualClock

T = TypeVar("T")
SLOW_S = 0.4
"""Below the journal's patience alone, above it when three changes wait."""
RECONNECT_S = 0.3


class Weather(StrEnum):
    """What becomes of a change."""

    CALM = "calm"
    SLOW = "slow"
    STUCK = "stuck"
    """It waits, and is made when the weather changes."""
    REFUSES = "refuses"
    FULL = "full"
    """Nothing new is begun; steps of what was begun are taken."""
    LOSES = "loses"
    """It is told as failed, and is not stored."""
    UNHEARD = "unheard"
    """A step is told as failed, and is stored. A claim is lost: what becomes of one whose reply
    was lost is the store's own affair, since only its token says whose it is."""


class Disk:
    """Rows that are durable. `kept_s` counts only while somebody has them open. A shared one has a
    clock of its own, which does not jump with that of a sidecar's machine.
    """

    def __init__(self, clock: ManualClock, *, shared: bool) -> None:
        self._shared = shared
        self.rows: dict[bytes, Record] = {}
        self.kept_s = 500.0
        self._clock = clock

    def now(self) -> Instant:
        jumped_s = self._clock.wall_jump_s if self._shared else 0.0
        return Instant(self._clock.wall() - jumped_s, self.kept_s)

    def resume(self) -> None:
        """What a dead run left, where there is only one at a time."""
        for row in self.rows.values():
            self.rows[row.id] = transitions.after_crash(row, self.now())

    def take_over(self, dead: str, heir: str, *, proven: bool) -> None:
        """Give rows of a run that is dead to another, as the shared store does it.

        One that is not proven dead may be stopped with a request in its hands: so
        its rows change hands when none of them may begin to send any more.
        """
        for row in self.rows.values():
            open_ = row.state not in (State.SETTLED, State.RELEASED)
            may_send = row.state is State.SENDING and row.send_by >= self.now().wall - MARGIN_S
            if row.owner == dead and open_ and (proven or not may_send):
                after = transitions.taken_over(row, heir, len(self.rows), self.now())
                self.rows[row.id] = after


class SimulatedStore:
    """See store.Store, of the run `owner`. One that is not `shared` makes changes one after the
    other, as SQLite's does; one that is shared has many connections, and so no order.
    """

    def __init__(self, disk: Disk, loop: VirtualLoop, owner: str, *, shared: bool) -> None:
        self._disk = disk
        self._loop = loop
        self._owner = owner
        self._shared = shared
        self._waiting: dict[object, tuple[float, Callable[[], object]]] = {}
        self._last: asyncio.Future[None] | None = None
        self._changed = loop.create_future()
        self.weather = Weather.CALM
        self.dead = False

    @property
    def takes_claims(self) -> bool:
        return self.weather is not Weather.FULL

    def waiting_s(self) -> float:
        return self._loop.time() - next(iter(self._waiting.values()))[0] if self._waiting else 0.0

    def instant(self) -> Instant:
        return self._disk.now()

    def turn(self, weather: Weather) -> None:
        """The weather changes."""
        self.weather = weather
        changed, self._changed = self._changed, self._loop.create_future()
        changed.set_result(None)

    def die(self, made: int) -> None:
        """The process is gone; of what waited, `made` changes had reached the disk."""
        waiting = [work for _, work in self._waiting.values()]
        for work in waiting[:made]:
            try:
                work()
            except (JournalError, Superseded):
                continue
        self.dead = True

    # -- the contract -----------------------------------------------------------------

    async def claim(self, wanted: Claim) -> tuple[Verdict, Record]:
        def work() -> tuple[Verdict, Record]:
            verdict, row = transitions.claim(self._load(wanted.id), wanted, self._disk.now())
            if verdict in TAKEN:
                self._save(row)
            return verdict, row

        return await self._change(work, begins=True)

    async def step(self, row_id: bytes, token: int, made: Step) -> Record:
        def work() -> Record:
            row = transitions.step(self._load(row_id), token, made, self._disk.now())
            self._save(row)
            return row

        return await self._change(work)

    async def read(self, row_id: bytes) -> Record | None:
        return await self._change(lambda: self._load(row_id))

    async def find(self, query: Query) -> Sequence[Record]:
        if self.dead or self.weather in (Weather.REFUSES, Weather.STUCK):
            raise StoreUnavailable
        found = [
            row
            for row in self._disk.rows.values()
            if row.state in query.states
            and (row.changed_at, row.id) > query.after
            and not (self._shared and query.mine and row.owner != self._owner)
        ]
        return sorted(found, key=lambda row: (row.changed_at, row.id))[: query.limit]

    async def counts(self) -> dict[State, int]:
        states = [row.state for row in self._disk.rows.values()]
        return {state: states.count(state) for state in set(states)}

    async def note_blocked(self, counts: Mapping[bytes, tuple[int, float]]) -> None:
        def work() -> None:
            for row_id, (more, at) in counts.items():
                row = self._disk.rows.get(row_id)
                if row is not None:
                    noted = replace(row, blocked=row.blocked + more, blocked_at=at)
                    self._disk.rows[row_id] = noted

        await self._change(work)

    async def named(self, key: str) -> Sequence[Record]:
        raise AssertionError(f"not asked for: {key}")

    async def linked(self, link: bytes) -> Sequence[Place]:
        raise AssertionError(f"not asked for: {link!r}")

    async def unsettled(self, before: float) -> Sequence[Unsettled]:
        raise AssertionError(f"not asked for: {before}")

    async def reseal(self, seal_again: SealAgain, limit: int, after: bytes) -> tuple[bytes, int]:
        raise AssertionError(f"not asked for: {limit}, {after!r}")

    async def purge(self, kept_s: float, limit: int) -> int:
        raise AssertionError(f"not asked for: {kept_s}, {limit}")

    async def close(self) -> None:
        """Every change was made when it was told."""

    # -- one change -------------------------------------------------------------------

    async def _change(self, work: Callable[[], T], *, begins: bool = False) -> T:
        before, mine = self._last, self._loop.create_future()
        self._last = mine
        self._waiting[mine] = (self._loop.time(), work)
        try:
            if before is not None and not self._shared:
                await asyncio.wait((before,))
            await self._turn()
            return self._made(work, begins)
        finally:
            del self._waiting[mine]
            if not self._loop.is_closed():  # a killed process is collected after its loop
                mine.set_result(None)

    async def _turn(self) -> None:
        await asyncio.sleep(SLOW_S if self.weather is Weather.SLOW else 0)
        while self.weather is Weather.STUCK:
            await asyncio.wait((self._changed,))
            await asyncio.sleep(RECONNECT_S if self._shared else 0)

    def _made(self, work: Callable[[], T], begins: bool) -> T:
        if self.dead or self.weather is Weather.REFUSES:
            raise StoreUnavailable
        if self.weather is Weather.LOSES or (begins and self.weather is Weather.UNHEARD):
            raise StoreUnavailable
        made = work()
        if self.weather is Weather.UNHEARD:
            raise StoreUnavailable
        return made

    def _load(self, row_id: bytes) -> Record | None:
        return self._disk.rows.get(row_id)

    def _save(self, row: Record) -> None:
        self._disk.rows[row.id] = row
