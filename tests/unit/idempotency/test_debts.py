"""Rules for endings that the store did not take: kept, offered again, dropped when they are old.

The news that a run brings after it was given up for dead stands in test_journal_taken_over.py.
"""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.journal import Conclusion
from proxy.idempotency.record import JournalError, State
from tests.unit.idempotency.values import RELEASE, SETTLE, fence
from tests.unit.idempotency.waiting import Desk


@pytest.fixture
async def desk() -> Desk:
    """One journal."""
    return Desk()


@pytest.mark.parametrize("how", ["slow", "down"])
async def test_an_ending_is_kept_until_the_store_takes_it(desk: Desk, how: str) -> None:
    """The answer was paid for: it is offered again and again."""
    row_id, token = await desk.sending()
    desk.store.down = how == "down"
    if how == "slow":
        desk.store.gate = asyncio.Event()
    assert await desk.journal.conclude(row_id, token, SETTLE) is Conclusion.OWED
    assert desk.journal.owed == (how == "down")
    desk.store.down = False
    if desk.store.gate is not None:
        desk.store.gate.set()
        await asyncio.sleep(0.01)
    await desk.rest()
    assert desk.store.rows[row_id].state is State.SETTLED


async def test_an_ending_that_was_taken_over_is_dropped(desk: Desk) -> None:
    """At once, or when it is offered again; whoever took it over will say what became of it."""
    row_id, token = await desk.sending()
    assert await desk.journal.conclude(row_id, token + 1, SETTLE) is Conclusion.TAKEN_OVER
    desk.store.down = True
    assert await desk.journal.conclude(row_id, token + 1, SETTLE) is Conclusion.OWED
    desk.store.down = False
    await desk.rest()
    assert desk.bugs == []
    assert desk.store.rows[row_id].state is State.SENDING


async def test_an_ending_that_was_stored_all_the_same_is_no_bug(desk: Desk) -> None:
    """The store could not say so at the time."""
    row_id, token = await desk.sending()
    desk.store.down = True
    assert await desk.journal.conclude(row_id, token, SETTLE) is Conclusion.OWED
    desk.store.down = False
    await desk.store.step(row_id, token, SETTLE)
    await desk.rest()
    assert desk.bugs == []


async def test_an_ending_that_cannot_be_is_one(desk: Desk) -> None:
    """Somebody must look: the row has no end, and this is none for it."""
    row_id, token = await desk.sending()
    desk.store.down = True
    await desk.journal.conclude(row_id, token, fence(), 1)
    desk.store.down = False
    await desk.rest()
    assert [type(bug) for bug in desk.bugs] == [JournalError]


async def test_a_key_that_was_lost_with_its_claim_needs_no_end(desk: Desk) -> None:
    """It was taken and never durable; an answer without a row would be another matter."""
    for made, bugs in ((RELEASE, 0), (SETTLE, 1)):
        desk.store.down = True
        assert await desk.journal.conclude(b"x" * 16, 1, made) is Conclusion.OWED
        desk.store.down = False
        await desk.rest()
        assert len(desk.bugs) == bugs


async def test_an_ending_that_is_taken_over_while_nobody_waits_is_dropped_too(desk: Desk) -> None:
    """The store says so when the time is long over; what it brings is offered as news first."""
    row_id, token = await desk.sending()
    desk.store.gate = asyncio.Event()
    assert await desk.journal.conclude(row_id, token + 1, SETTLE) is Conclusion.OWED
    desk.store.gate.set()
    await asyncio.sleep(0.01)
    assert desk.journal.owed == 1
    await desk.rest()
    assert desk.bugs == []
    assert desk.store.rows[row_id].state is State.SENDING
