"""Endings that the store has not taken: they are kept, and offered again until it takes them.

So are claims that it has not confirmed: nothing is sent under them, but they may have been
made, and are released then.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any

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
)
from proxy.idempotency.settling import REVERSED
from proxy.idempotency.store import Store, StoreUnavailable

_OFFERED_EVERY_S = 0.5
_FREE = (State.RELEASED, State.CLAIMED)
_ENDED = (State.SETTLED, State.RELEASED)
_AT_WORK = (State.CLAIMED, State.SENDING)


@dataclass(frozen=True, slots=True)
class Ending:
    """How the run that holds `token` ended, with the number of its attempt."""

    row_id: bytes
    token: int
    made: Step
    attempt: int


class Debts:
    """What is owed to `store`; `own` lets work run to its end, `bug` is told of what cannot be."""

    def __init__(
        self,
        store: Store,
        own: Callable[[Coroutine[Any, Any, Any]], object],
        bug: Callable[[Exception], None],
    ) -> None:
        self._store = store
        self._own = own
        self._bug = bug
        self._owed: dict[bytes, Ending] = {}
        self._unconfirmed: set[tuple[bytes, str]] = set()
        """Claims that may have been made: row and call."""
        self._closing = False
        self._paying = False

    def __len__(self) -> int:
        return len(self._owed) + len(self._unconfirmed)

    def owe(self, ending: Ending) -> None:
        """Offer this ending until the store takes it."""
        self._owed[ending.row_id] = ending
        self._begin()

    def look_for(self, wanted: Claim) -> None:
        """Release this claim, which nobody waits for any more, should it have been made."""
        self._unconfirmed.add((wanted.id, wanted.call))
        self._begin()

    def close(self) -> None:
        """Offer each once more, and then no more."""
        self._closing = True

    async def bring(self, ending: Ending) -> Record:
        """If the run was given up for dead meanwhile, what it still brings as news.

        Another sidecar has then put the row in doubt. An answer to the very attempt that
        is in doubt ends that, whoever brings it; after any later sending it does not.
        Raises Superseded, StoreUnavailable, JournalError.
        """
        if not isinstance(ending.made, Settle):
            raise Superseded(f"token {ending.token} was taken over")
        row = await self._store.read(ending.row_id)
        if row is not None and row.state in _FREE and row.reason != REVERSED:
            self._bug(JournalError("an answer came for a call that was proven not executed"))
        if row is None or row.state is not State.IN_DOUBT or row.attempt != ending.attempt:
            raise Superseded(f"token {ending.token} was taken over")
        return await self._store.step(row.id, row.token, ending.made)

    def _begin(self) -> None:
        """However much is owed, it is offered once: a store that comes back has enough to do."""
        if not self._paying:
            self._paying = True
            self._own(self._pay())

    async def _pay(self) -> None:
        try:
            while len(self):
                await asyncio.sleep(_OFFERED_EVERY_S)
                last = self._closing
                with contextlib.suppress(StoreUnavailable):
                    await self._offer_all()
                if last:
                    return
        finally:
            self._paying = False

    async def _offer_all(self) -> None:
        for ending in list(self._owed.values()):
            await self._offer(ending)
            if self._owed.get(ending.row_id) is ending:  # and not a later one meanwhile
                del self._owed[ending.row_id]
        for claimed in list(self._unconfirmed):
            await self._let_go(*claimed)
            self._unconfirmed.discard(claimed)

    async def _let_go(self, row_id: bytes, call: str) -> None:
        row = await self._store.read(row_id)
        if row is None or row.call != call or row.state not in _AT_WORK:
            return
        try:
            await self._store.step(row_id, row.token, Release("abandoned"))
        except Superseded:
            return
        except JournalError as error:
            self._bug(error)

    async def _offer(self, ending: Ending) -> None:
        """The row may have ended meanwhile: by this very news, whose durability nobody confirmed,
        or by an operator, an inquiry, another sidecar.
        """
        try:
            try:
                await self._store.step(ending.row_id, ending.token, ending.made)
            except Superseded:
                await self.bring(ending)
        except Superseded:
            return
        except JournalError as error:
            row = await self._store.read(ending.row_id)
            lost = isinstance(error, ClaimLost) and isinstance(ending.made, Release)
            if not lost and (row is None or row.state not in _ENDED):
                self._bug(error)
