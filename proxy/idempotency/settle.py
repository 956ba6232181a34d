"""Asks partners what became of calls in doubt, until somebody knows.

One pass over the rows in doubt after another. Each row is asked about at once,
then after growing waits with jitter, so a partner that is coming back is not
besieged. What is found settles the row or frees its key, under the row's token:
if the application has begun to repeat the call meanwhile, the news is dropped,
and the repetition learns for itself. Nothing of it needs to survive a restart,
since the rows do.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping

from proxy.idempotency.inquiry import conclusion, target
from proxy.idempotency.journal import Journal
from proxy.idempotency.record import (
    JournalError,
    Record,
    Release,
    Settle,
    State,
    Step,
    Superseded,
)
from proxy.idempotency.seal import Sealer
from proxy.idempotency.store import Query, StoreUnavailable
from proxy.model.clock import Clock
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.route import Inquiry

Ask = Callable[[str, bytes], Awaitable[Outcome]]
"""(upstream, target) -> how the inquiry ended."""

_PASS_EVERY_S = 1.0
_PAGE = 200
_AT_ONCE = 4
_WAIT_FIRST_S = 1.0
_WAIT_MAX_S = 60.0


class Settler:
    """`inquiries` by upstream and operation; `run` until it is cancelled."""

    def __init__(
        self,
        journal: Journal,
        sealer: Sealer,
        inquiries: Mapping[tuple[str, str], Inquiry],
        ask: Ask,
        clock: Clock,
        rng: random.Random,
    ) -> None:
        self._journal = journal
        self._sealer = sealer
        self._inquiries = inquiries
        self._ask = ask
        self._clock = clock
        self._rng = rng
        self._waits: dict[bytes, tuple[float, float]] = {}
        """By row: the instant from which to ask again, and the wait after that."""

    async def run(self) -> None:
        """Pass after pass; a journal that cannot be read is tried again."""
        while self._inquiries:
            try:
                await self.settle_all()
            except StoreUnavailable:
                self._waits.clear()
            await asyncio.sleep(_PASS_EVERY_S)

    async def settle_all(self) -> None:
        """One pass over all rows in doubt, oldest first."""
        seen: set[bytes] = set()
        after = (0.0, b"")
        while True:
            query = Query(states=(State.IN_DOUBT,), limit=_PAGE, after=after)
            page = await self._journal.store.find(query)
            seen.update(row.id for row in page)
            await self._settle_page([row for row in page if self._due(row)])
            if len(page) < _PAGE:
                break
            after = (page[-1].changed_at, page[-1].id)
        for row_id in self._waits.keys() - seen:
            del self._waits[row_id]

    async def _settle_page(self, rows: list[Record]) -> None:
        for begin in range(0, len(rows), _AT_ONCE):
            await asyncio.gather(*(self.settle(row) for row in rows[begin : begin + _AT_ONCE]))

    def _due(self, row: Record) -> bool:
        if not row.reference or (row.upstream, row.scope.operation) not in self._inquiries:
            return False
        return self._clock.now() >= self._waits.get(row.id, (0.0, 0.0))[0]

    async def settle(self, row: Record) -> None:
        """Ask about one row, and write what that proves."""
        inquiry = self._inquiries[row.upstream, row.scope.operation]
        outcome = await self._ask(row.upstream, target(inquiry, row.reference))
        made = self._step(row, inquiry, outcome)
        if made is None:
            self._wait(row)
            return
        try:
            await self._journal.step(row.id, row.token, made)
        except (Superseded, StoreUnavailable, JournalError):
            self._wait(row)  # somebody was faster, or the journal is away: look again later

    def _step(self, row: Record, inquiry: Inquiry, outcome: Outcome) -> Step | None:
        if not isinstance(outcome, Answered):
            return None
        answer = outcome.response
        age_s = self._clock.wall() - row.changed_at
        proven = conclusion(inquiry, answer.status, answer.body, age_s)
        if proven is Execution.DONE:
            sealed = self._sealer.seal_answer(row.id, answer)
            return Settle(answer.status, "found_by_inquiry", sealed)
        if proven is Execution.NONE:
            return Release("absent_by_inquiry", of_all=True)
        return None

    def _wait(self, row: Record) -> None:
        _, wait_s = self._waits.get(row.id, (0.0, _WAIT_FIRST_S))
        again_at = self._clock.now() + self._rng.uniform(wait_s / 2, wait_s)
        self._waits[row.id] = (again_at, min(wait_s * 2, _WAIT_MAX_S))
