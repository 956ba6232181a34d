"""The journal as the layers use it: bounded waits, and nothing that was learned is lost.

A change that is not durable within `timeout_commit` counts as unavailable, and
from then on nothing new is claimed until the store answers again. The change
itself stays in the store's queue. An ending that the store refused is owed: it
is kept here and offered again until it is taken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from enum import Enum
from functools import partial
from typing import Any, TypeVar

from proxy.idempotency.blocked import Blocked
from proxy.idempotency.record import (
    Claim,
    ClaimLost,
    JournalError,
    Record,
    Release,
    Settle,
    State,
    Step,
    Superseded,
    Verdict,
)
from proxy.idempotency.settling import REVERSED
from proxy.idempotency.store import Store, StoreUnavailable

T = TypeVar("T")
_OWED_EVERY_S = 0.5
_FREE = (State.RELEASED, State.CLAIMED)


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
        self._bug = bug
        self.blocked = Blocked(store, loop)
        self.committed: Callable[[float], None] = _unheard
        """Told how long each step took to become durable, or to fail: seconds."""
        self._runs: dict[bytes, asyncio.Future[None]] = {}
        self._owed: dict[bytes, tuple[int, Step, int]] = {}
        """By row: the token, the ending, the number of the attempt."""
        self._work: set[asyncio.Future[Any]] = set()
        self._closing = False

    @property
    def available(self) -> bool:
        """Whether a key can be claimed, as far as is known."""
        return self.store.takes_claims and self.store.waiting_s() <= self._timeout_s

    @property
    def owed(self) -> int:
        """Endings that the store has not taken yet."""
        return len(self._owed)

    # -- changes --------------------------------------------------------------------

    async def claim(self, wanted: Claim) -> tuple[Verdict, Record]:
        """Ask for a key. Raises StoreUnavailable, JournalError."""
        if not self.available:
            raise StoreUnavailable
        asked = self.own(self.store.claim(wanted))
        try:
            return await self._in_time(asked)
        except (StoreUnavailable, asyncio.CancelledError):
            self.own(self._give_up(asked))
            raise

    async def _give_up(self, asked: asyncio.Future[tuple[Verdict, Record]]) -> None:
        """A claim that came too late, or whose caller has left, is let go: else its key would be
        busy for ever.
        """
        try:
            verdict, row = await asked
        except (StoreUnavailable, JournalError):
            return
        if verdict is Verdict.RUN:
            await self.conclude(row.id, row.token, Release("abandoned"))

    async def step(self, row_id: bytes, token: int, made: Step) -> Record:
        """Change a row. Raises StoreUnavailable, Superseded, JournalError."""
        begun_at = self._loop.time()
        try:
            return await self._in_time(self.own(self.store.step(row_id, token, made)))
        finally:
            self.committed(self._loop.time() - begun_at)

    async def conclude(self, row_id: bytes, token: int, made: Step, attempt: int = 0) -> Conclusion:
        """Write how a run ended, with its `attempt`. Raises JournalError."""
        begun_at = self._loop.time()
        change = self.own(self._end_run(row_id, token, made, attempt))
        change.add_done_callback(partial(self._concluded, row_id, (token, made, attempt)))
        try:
            await self._in_time(change)
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

    async def _end_run(self, row_id: bytes, token: int, made: Step, attempt: int) -> Record:
        """The step; and if the run was given up for dead meanwhile, what it still brings as news.

        Another sidecar has then put the row in doubt. An answer to the very attempt that
        is in doubt ends that, whoever brings it; after any later sending it does not.
        """
        try:
            return await self.store.step(row_id, token, made)
        except Superseded:
            if not isinstance(made, Settle):
                raise
            row = await self.store.read(row_id)
            if row is not None and row.state in _FREE and row.reason != REVERSED:
                self._bug(JournalError("an answer came for a call that was proven not executed"))
            if row is None or row.state is not State.IN_DOUBT or row.attempt != attempt:
                raise
            return await self.store.step(row_id, row.token, made)

    def _concluded(
        self, row_id: bytes, owed: tuple[int, Step, int], change: asyncio.Future[Record]
    ) -> None:
        """An ending that the store could not take is owed, whether or not anybody still waits."""
        if not change.cancelled() and isinstance(change.exception(), StoreUnavailable):
            self._owed[row_id] = owed
            self.own(self._pay())

    async def _pay(self) -> None:
        """Offer what is owed until the store takes it."""
        await asyncio.sleep(_OWED_EVERY_S)
        for row_id, (token, made, attempt) in list(self._owed.items()):
            try:
                await self._offer(row_id, token, made, attempt)
            except StoreUnavailable:
                if not self._closing:
                    self.own(self._pay())
                return
            self._owed.pop(row_id, None)

    async def _offer(self, row_id: bytes, token: int, made: Step, attempt: int) -> None:
        """What is owed once more. The row may have ended meanwhile: by this very news, whose
        durability nobody confirmed, or by an operator, an inquiry, another sidecar.
        """
        try:
            await self._end_run(row_id, token, made, attempt)
        except Superseded:
            return
        except JournalError as error:
            row = await self.store.read(row_id)
            lost = isinstance(error, ClaimLost) and isinstance(made, Release)
            if not lost and (row is None or row.state not in (State.SETTLED, State.RELEASED)):
                self._bug(error)

    async def _in_time(self, change: asyncio.Future[T]) -> T:
        """What a change comes to; it goes on when the time is up, or when we are cancelled."""
        waiter = self._loop.create_future()

        def wake(_: object) -> None:
            if not waiter.done():
                waiter.set_result(None)

        change.add_done_callback(wake)
        timer = self._loop.call_later(self._timeout_s, wake, None)
        try:
            await waiter
        finally:
            timer.cancel()
            change.remove_done_callback(wake)
        if not change.done():
            raise StoreUnavailable
        return change.result()

    # -- runs -----------------------------------------------------------------------

    def begin(self, row_id: bytes) -> None:
        """A run under this key has begun here."""
        self._runs[row_id] = self._loop.create_future()

    def runs(self, row_id: bytes) -> bool:
        """Whether a run under this key is at work here."""
        return row_id in self._runs

    def end(self, row_id: bytes) -> None:
        """It has ended; whoever waits for it may look."""
        run = self._runs.pop(row_id, None)
        if run is not None and not run.done():
            run.set_result(None)

    async def wait_for(self, row_id: bytes, within_s: float, poll_s: float) -> None:
        """Wait for the run under this key to end: here, or (looked at now and then) elsewhere."""
        run = self._runs.get(row_id)
        if run is None:
            await asyncio.sleep(min(poll_s, within_s))
        else:
            await asyncio.wait((run,), timeout=within_s)

    def own(self, work: Awaitable[T]) -> asyncio.Future[T]:
        """Let work run to its end, whoever stops waiting for it."""
        future: asyncio.Future[T]
        if isinstance(work, asyncio.Future):
            future = work
        else:
            future = self._loop.create_task(work if asyncio.iscoroutine(work) else _run(work))
        self._work.add(future)
        future.add_done_callback(self._disown)
        return future

    def _disown(self, future: asyncio.Future[Any]) -> None:
        self._work.discard(future)
        if not future.cancelled():
            future.exception()  # whoever waited has been told

    async def close(self, within_s: float) -> bool:
        """Let what runs end, bounded, then close the store; True when nothing was left."""
        self._closing = True
        ends_at = self._loop.time() + within_s
        while (self._work or self._owed) and self._loop.time() < ends_at:
            await asyncio.sleep(0.01)
        finished = not self._work and not self._owed
        for work in list(self._work):
            work.cancel()
        await self.blocked.close(self._timeout_s)
        await self.store.close()
        return finished


def _unheard(_: float) -> None:
    """Nobody counts."""


async def _run(work: Awaitable[T]) -> T:
    return await work
