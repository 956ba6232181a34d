"""What a shared journal tells of many rows, and what is done to many at once.

Nothing here takes part in a change of a row: counts are added beside its
revision, and an answer is sealed anew only where the row is still as it was read.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Mapping, Sequence
from typing import TypeVar

from proxy.idempotency.postgres_rows import (
    ANSWERS,
    LINKED,
    NAMED,
    NOTE_BLOCKED,
    RESEAL,
    UNSETTLED,
    row_of,
)
from proxy.idempotency.postgres_wire import Lost, Unexecuted, Wire
from proxy.idempotency.record import Record, State
from proxy.idempotency.rows import id_bounds
from proxy.idempotency.store import NAMED_MAX, SealAgain, StoreUnavailable
from proxy.model.affinity import PLACES_MAX, Place
from proxy.model.unsettled import Unsettled

T = TypeVar("T")
_NOBODY = (b"\x01", b"\x00")
"""Bounds that no id is within."""


class PostgresReports:
    """A part of PostgresStore; see store.Store for what its methods promise."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def counts(self) -> dict[State, int]:
        """How many rows there are, by state."""
        counted = "SELECT state, count(*) FROM tidegate_calls GROUP BY state"
        found = await self._asked(self._wire.fetch(counted))
        return {State(state): number for state, number in found}

    async def named(self, key: str) -> Sequence[Record]:
        """Rows by key, or by the beginning of their id."""
        asked = self._wire.fetch(NAMED, key, *(id_bounds(key) or _NOBODY), NAMED_MAX)
        return [row_of(each)[0] for each in await self._asked(asked)]

    async def linked(self, link: bytes) -> Sequence[Place]:
        """Where calls with this link are."""
        found = await self._asked(self._wire.fetch(LINKED, link, PLACES_MAX))
        return [(partner, upstream) for partner, upstream in found]

    async def unsettled(self, before: float) -> Sequence[Unsettled]:
        """What has no end, by state, upstream and operation."""
        found = await self._asked(self._wire.fetch(UNSETTLED, before))
        return [Unsettled(*each) for each in found]

    async def note_blocked(self, counts: Mapping[bytes, tuple[int, float]]) -> None:
        """Add to rows how many calls they blocked.

        When the answer of the server is lost, so may be the counts: too few are better than
        some twice.
        """
        ids = sorted(counts)
        numbers, instants = [counts[each][0] for each in ids], [counts[each][1] for each in ids]
        try:
            await self._wire.fetch(NOTE_BLOCKED, ids, numbers, instants)
        except Lost:
            return
        except Unexecuted:
            raise StoreUnavailable from None

    async def reseal(self, seal_again: SealAgain, limit: int, after: bytes) -> tuple[bytes, int]:
        """Seal the answers of some rows anew.

        A row that was changed meanwhile is left: whoever changed it sealed what it has now, or
        a second run will.
        """
        bits = random.SystemRandom().getrandbits
        found = await self._asked(self._wire.fetch(ANSWERS, after, limit))
        number = 0
        for row_id, answer, revision in found:
            sealed = seal_again(row_id, answer) if answer else None
            if sealed is not None:
                made = self._wire.fetch(RESEAL, row_id, sealed, bits(63), revision)
                number += len(await self._asked(made))
        return found[-1][0] if len(found) == limit else b"", number

    async def _asked(self, asked: Awaitable[T]) -> T:
        try:
            return await asked
        except (Lost, Unexecuted):
            raise StoreUnavailable from None
