"""What operators ask of a shared journal from a command line, beside its sidecars.

It reads the tables itself, without a lease: it takes part in nothing. An
operator's word is a change like a sidecar's, by compare-and-swap.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Self, TypeVar

from proxy.idempotency.operator import pages, word
from proxy.idempotency.postgres_reports import PostgresReports
from proxy.idempotency.postgres_rows import READ, UPDATE, changed, find_statement, row_of
from proxy.idempotency.postgres_schema import unusable
from proxy.idempotency.postgres_wire import Lost, Unexecuted, Wire
from proxy.idempotency.record import Instant, Record, State
from proxy.idempotency.reseal import Resealed, reseal
from proxy.idempotency.seal import Sealer
from proxy.idempotency.store import Query, StoreUnavailable
from proxy.idempotency.transitions import step
from proxy.model.errors import StartError

T = TypeVar("T")
_TIMEOUT_S = 30.0
"""Of one statement: an export reads a large table."""


class _Asking:
    """One connection for all that is asked of it; its end says why there was none."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self._wire = Wire(url, 1, _TIMEOUT_S)

    def __enter__(self) -> Self:
        return self

    def run(self, what: Callable[[Wire], Awaitable[T]]) -> T:
        """What comes of it."""

        async def ask() -> T:
            return await what(self._wire)

        return self._runner.run(ask())

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._runner.run(self._wire.close())
        self._runner.close()
        if isinstance(error, StoreUnavailable):
            error = error.__context__ if isinstance(error.__context__, Unexecuted) else Lost()
        if isinstance(error, Lost | Unexecuted):
            raise unusable(self._url, error) from None


class SharedSource:
    """See operator.Source; `url` has a password, and messages do not have it."""

    def __init__(self, url: str) -> None:
        self._url = url

    def rows(self, query: Query) -> Iterator[Record]:
        """Every row that a query asks for. Raises StartError."""
        with _Asking(self._url) as asking:

            def find(page: Query) -> Sequence[Record]:
                statement, asked = find_statement(page, "")
                return [
                    row_of(each)[0]
                    for each in asking.run(lambda wire: wire.fetch(statement, *asked))
                ]

            yield from pages(find, query)

    def named(self, name: str) -> Sequence[Record]:
        """The rows with this key, or with an id that begins so. Raises StartError."""
        with _Asking(self._url) as asking:
            return asking.run(lambda wire: PostgresReports(wire).named(name))

    def resolve(self, row_id: bytes, *, done: bool, reason: str, wall: float) -> Record:
        """An operator's word on a call in doubt. Raises StartError, JournalError."""

        async def work(wire: Wire) -> Record:
            found = await wire.fetch(READ, row_id)
            if not found:
                raise StartError(f"there is no call {row_id.hex()} in this journal")
            row, revision = row_of(found[0])
            if row.state in (State.CLAIMED, State.SENDING):
                raise StartError("the call is at work, or waits for a sidecar to take it over")
            made = word(row, done=done, reason=reason)
            after = step(row, row.token, made, Instant(wall, row.changed_kept))
            mine = random.SystemRandom().getrandbits(63)
            if not await wire.fetch(UPDATE, *changed(after), mine, revision):
                raise StartError("the call was changed in this moment; look at it again")
            return after

        with _Asking(self._url) as asking:
            return asking.run(work)

    def reseal(self, sealing: Mapping[str, bytes], told: Callable[[Resealed], None]) -> Resealed:
        """Seal every answer anew, while sidecars work. Raises StartError."""
        with _Asking(self._url) as asking:
            return asking.run(lambda wire: reseal(PostgresReports(wire), Sealer(sealing), told))
