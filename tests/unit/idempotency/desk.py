"""A settler over a store in memory and a partner that answers as it is told, in virtual time."""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace

from proxy.idempotency.journal import Journal
from proxy.idempotency.record import Record
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settle import Rules, Settler
from proxy.model.events import Event
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome
from proxy.model.phase import Phase
from proxy.model.settling import Question, SettleRule
from tests.support.manual_clock import ManualClock
from tests.support.values import response
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import DOUBT, INQUIRY, fence, wanted

FOUND = b'{"payments": [{"state": "paid"}]}'
EMPTY = b'{"payments": []}'
LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)
INQUIRIES: Rules = {("a", "authorize"): SettleRule(INQUIRY)}


class Desk:
    """Rows in doubt, and a partner that can be asked; `settler` is one of perhaps several."""

    def __init__(self, rules: Rules = INQUIRIES, attempts_max: int = 1000) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.bugs: list[Exception] = []
        self.journal = Journal(self.store, asyncio.get_running_loop(), 1.0, self.bugs.append)
        self.sealer = Sealer({"k": b"k" * 32})
        self.asked: list[tuple[str, Question]] = []
        self.answer: Outcome = LOST
        self.events: list[Event] = []
        self._rules = rules
        self._attempts_max = attempts_max
        self.settler = self.another()

    def another(self) -> Settler:
        """One more sidecar on the same journal; or the same one after a restart."""
        return Settler(
            self.journal, self.sealer, self._rules, self._ask, self.clock, random.Random(1),
            attempts_max=self._attempts_max, emit=self.events.append,
        )  # fmt: skip

    async def _ask(self, upstream: str, asked: Question) -> Outcome:
        self.asked.append((upstream, asked))
        return self.answer

    def says(self, status: int, body: bytes = b"", execution: Execution = Execution.DONE) -> None:
        """What the partner answers from now on."""
        self.answer = Answered("acme", "a", response(status, (), body), execution)

    async def doubt(self, key: str = "k1", reference: str = "r 1", upstream: str = "a") -> bytes:
        """A row in doubt."""
        _, row = await self.store.claim(wanted(key, reference=reference))
        sent = fence(upstream=upstream, attempt=row.attempt + 1)
        await self.store.step(row.id, row.token, sent)
        await self.store.step(row.id, row.token, DOUBT)
        return row.id

    def row(self, row_id: bytes) -> Record:
        """As it stands."""
        return replace(self.store.rows[row_id])

    async def looks(self, seconds: float) -> None:
        """The settler looks once a second for so long."""
        for _ in range(int(seconds)):
            await self.settler.settle_all()
            self.clock.advance(1.0)
