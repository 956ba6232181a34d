"""A journal that can be closed and opened again, and a payment in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proxy.idempotency.record import Claim, Record
from proxy.idempotency.store import Store
from tests.unit.idempotency.values import SETTLE, fence


class Place:
    """A journal that can be closed and opened again."""

    def __init__(self, reopen: Callable[[], Awaitable[Store]]) -> None:
        self._open = reopen
        self.store: Store

    async def begin(self) -> Store:
        """Open it, after closing it in order if it is open."""
        if hasattr(self, "store"):
            await self.store.close()
        self.store = await self._open()
        return self.store


async def settled(store: Store, claim: Claim) -> Record:
    """One payment, from its claim to its answer."""
    _, row = await store.claim(claim)
    await store.step(row.id, row.token, fence())
    return await store.step(row.id, row.token, SETTLE)
