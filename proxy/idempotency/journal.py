"""The journal as the layers use it: bounded waits, and nothing that was learned is lost.

A change that is not durable within `timeout_commit` counts as unavailable, and
from then on nothing new is claimed until the store answers again. The change
itself stays in the store's queue. An ending that the store refused is owed: it
is kept here and offered again until it is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from proxy.idempotency.blocked import Blocked
from proxy.idempotency.debts import Debts, Ending
from proxy.idempotency.patience import Patience
from proxy.idempotency.record import (
    TAKEN,
    Claim,
    ClaimLost,
    JournalError,
    Record,
    Release,
    Step,
    Superseded,
    Verdict,
)
from proxy.idempotency.runs import Runs
from proxy.idempotency.store import Store, StoreUnavailable
from proxy.model.affinity import Place

T = TypeVar("T")


class Conclusion(Enum):
    """What became of the news of how a run ended."""

    DURABLE = "durable"
    OWED = "owed"
    """The store will be offered it until it takes it."""
    TAKEN_OVER = "taken_over"
    """The key is another run's by now, and this one's word counts no more."""


class Journal:
    """Wraps a store. `bug` is told of a JournalError that nobody waits for any more."""

    def __init__(
        self,
        store: Store,
        loop: asyncio.AbstractEventLoop,
        timeout_commit_s: float,
        bug: Callable[[Exception], None],
    ) -> None:
        self.store = store
        self._loop = loop
        self._timeout_s = timeout_commit_s
        self._patience = Patience(loop, timeout_commit_s)
        self.blocked = Blocked(store, loop)
        self.committed: Callable[[float], None] = _unheard
        """Told how long each change took to become durable, or a step to fail: seconds."""
        self.runs = Runs(loop)
        self._debts = Debts(store, self.own, bug)
        self._work: dict[asyncio.Future[Any], asyncio.Future[None] | None] = {}
        """What runs to its end, and whom to wake then."""

    @property
    def available(self) -> bool:
        """Whether a key can be claimed, as far as is known."""
        return self.store.takes_claims and self.store.waiting_s() <= self._timeout_s

    @property
    def owed(self) -> int:
        """Endings that the store has not taken yet."""
        return len(self._debts)

    # -- changes --------------------------------------------------------------------

    async def claim(self, wanted: Claim) -> tuple[Verdict, Record]:
        """Ask for a key. Raises StoreUnavailable, JournalError."""
        if not self.available:
            raise StoreUnavailable
        begun_at = self._loop.time()
        waiter = self._patience.waiter()
        asked = self.own(self.store.claim(wanted), waiter)
        try:
            await waiter
            claimed = _in_time(asked)
            if claimed[0] in TAKEN:
                self.committed(self._loop.time() - begun_at)
            return claimed
        except (StoreUnavailable, asyncio.CancelledError):
            self.own(self._give_up(wanted, asked))
            raise

    async def _give_up(self, wanted: Claim, asked: asyncio.Future[tuple[Verdict, Record]]) -> None:
        """A claim that came too late, or whose caller has left, is let go: else its key would be
        busy for ever.
        """
        try:
            verdict, row = await asked
        except StoreUnavailable:  # which may only mean that its answer was lost
            self._debts.look_for(wanted)
            return
        except JournalError:
            return
        if verdict is Verdict.RUN:
            await self.conclude(row.id, row.token, Release("abandoned"))

    async def linked(self, link: bytes) -> Sequence[Place]:
        """Where calls with this link are. Raises StoreUnavailable, also when it takes too long."""
        if not self.available:
            raise StoreUnavailable
        waiter = self._patience.waiter()
        asked = self.own(self.store.linked(link), waiter)
        await waiter
        return _in_time(asked)

    async def step(self, row_id: bytes, token: int, made: Step) -> Record:
        """Change a row. Raises StoreUnavailable, Superseded, JournalError."""
        begun_at = self._loop.time()
        waiter = self._patience.waiter()
        try:
            change = self.own(self.store.step(row_id, token, made), waiter)
            await waiter
            return _in_time(change)
        finally:
            self.committed(self._loop.time() - begun_at)

    async def conclude(self, row_id: bytes, token: int, made: Step, attempt: int = 0) -> Conclusion:
        """Write how a run ended, with its `attempt`. Raises JournalError."""
        begun_at = self._loop.time()
        ending = Ending(row_id, token, made, attempt)
        try:
            try:
                await self._owing(ending, self.store.step(row_id, token, made))
            except Superseded:
                await self._owing(ending, self._debts.bring(ending))
        except StoreUnavailable:
            return Conclusion.OWED
        except Superseded:
            return Conclusion.TAKEN_OVER
        except ClaimLost:
            if not isinstance(made, Release):
                raise  # something was sent under a key that nobody has
        finally:
            self.committed(self._loop.time() - begun_at)
        return Conclusion.DURABLE

    async def _owing(self, ending: Ending, work: Awaitable[Record]) -> None:
        """Write an ending; what is not in the store when the wait is over is owed."""
        waiter = self._patience.waiter()
        change = self.own(work, waiter)
        try:
            await waiter
            _in_time(change)
        except (StoreUnavailable, asyncio.CancelledError):
            if change.done():
                self._concluded(ending, change)
            else:
                change.add_done_callback(partial(self._concluded, ending))
            raise

    def _concluded(self, ending: Ending, change: asyncio.Future[Record]) -> None:
        """Nobody waits for this change any more."""
        if not change.cancelled() and isinstance(
            change.exception(), (StoreUnavailable, Superseded)
        ):
            self._debts.owe(ending)

    # -- what runs to its end ----------------------------------------------------------

    async def outlive(self, work: Coroutine[Any, Any, T], told: asyncio.Future[None]) -> T:
        """What work comes to. It runs to its end when whoever asks for it is cancelled.

        Its last step says so by `told`: a task's own word of it takes one turn more.
        """
        run = self.own(work, told)
        await told
        return run.result()

    def own(
        self, work: Awaitable[T], waiter: asyncio.Future[None] | None = None
    ) -> asyncio.Future[T]:
        """Let work run to its end, whoever stops waiting for it; `waiter` is done by that."""
        future: asyncio.Future[T]
        if isinstance(work, asyncio.Future):
            future = work
        else:
            future = self._loop.create_task(work if asyncio.iscoroutine(work) else _run(work))
        self._work[future] = waiter
        future.add_done_callback(self._disown)
        return future

    def ended(self, future: asyncio.Future[Any]) -> None:
        """Of what runs here, this has ended. Whoever ends it may say so, which wakes who waits a
        turn of the loop sooner than its own word does.
        """
        if future in self._work:
            self._disown(future)

    def _disown(self, future: asyncio.Future[Any]) -> None:
        waiter = self._work.pop(future, None)
        if not future.cancelled():
            future.exception()  # whoever waited is told
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    async def close(self, within_s: float) -> bool:
        """Let what runs end, bounded, then close the store; True when nothing was left."""
        self._debts.close()
        ends_at = self._loop.time() + within_s
        while (self._work or self._debts) and self._loop.time() < ends_at:
            await asyncio.sleep(0.01)
        finished = not self._work and not self._debts
        for work in list(self._work):
            work.cancel()
        await self.blocked.close(self._timeout_s)
        await self.store.close()
        self._patience.close()
        return finished


def _in_time(change: asyncio.Future[T]) -> T:
    """What a change has come to; it goes on when the time is up, or when we are cancelled."""
    if not change.done():
        raise StoreUnavailable
    return change.result()


def _unheard(_: float) -> None:
    """Nobody counts."""


async def _run(work: Awaitable[T]) -> T:
    return await work
