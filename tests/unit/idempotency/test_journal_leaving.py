"""Rules for callers that leave while the journal works for them."""

from __future__ import annotations

import asyncio

from proxy.idempotency.journal import Journal
from proxy.idempotency.record import State
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import wanted


async def test_a_claim_whose_caller_has_left_is_let_go() -> None:
    """At whatever instant it leaves: else its key would be busy for ever."""
    store, bugs = MemoryStore(ManualClock()), list[Exception]()
    journal = Journal(store, asyncio.get_running_loop(), 1.0, bugs.append)
    for passes in range(6):
        asked = asyncio.ensure_future(journal.claim(wanted(f"k{passes}")))
        for _ in range(passes):
            await asyncio.sleep(0)
        if asked.done():
            break
        asked.cancel()
        await asyncio.wait((asked,))
        assert asked.cancelled()
    await asyncio.sleep(0.01)
    left = {row.scope.key: row.state for row in store.rows.values()}
    assert left.pop(f"k{passes}") is State.CLAIMED
    assert len(left) == passes - 1, "one was cancelled before it began"
    assert set(left.values()) == {State.RELEASED}
