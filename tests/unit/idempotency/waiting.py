"""A journal over a store in memory, and the bugs that it tells."""

from __future__ import annotations

import asyncio

from proxy.idempotency.journal import Journal
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import fence, wanted

SHORT_S = 0.02


class Desk:
    """A journal over a store in memory, and the bugs that it tells."""

    def __init__(self) -> None:
        self.store = MemoryStore(ManualClock())
        self.bugs: list[Exception] = []
        loop = asyncio.get_running_loop()
        self.journal = Journal(self.store, loop, SHORT_S, self.bugs.append)

    async def sending(self) -> tuple[bytes, int]:
        """A row that is being sent, and its token."""
        _, row = await self.journal.claim(wanted())
        await self.journal.step(row.id, row.token, fence())
        return row.id, row.token

    async def rest(self) -> None:
        """Until nothing is left to do."""
        for _ in range(300):
            if not self.journal.owed:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("something is still owed")
