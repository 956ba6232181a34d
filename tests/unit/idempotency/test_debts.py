"""Rules for endings that the store did not take: kept, offered again, dropped when they are old.

The news that a run brings after it was given up for dead stands in test_journal_taken_over.py.
"""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.journal import Conclusion
from proxy.idempotency.record import Claim, JournalError, Record, State, Step, Verdict
from proxy.idempotency.store import StoreUnavailable
from tests.unit.idempotency.values import DOUBT, RELEASE, SETTLE, fence, wanted
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


async def test_a_later_ending_is_not_lost_behind_an_earlier_one(desk: Desk) -> None:
    """The answer is refused and owed in the moment in which the doubt before it is taken."""
    row_id, token = await desk.sending()
    desk.store.down = True
    await desk.journal.conclude(row_id, token, DOUBT, 1)
    desk.store.down = False
    taken = desk.store.step

    async def crowded(row_id: bytes, token: int, made: Step) -> Record:
        if made is SETTLE and desk.store.steps[-1:] != [DOUBT]:
            raise StoreUnavailable
        if made is DOUBT:
            await desk.journal.conclude(row_id, token, SETTLE, 1)
        return await taken(row_id, token, made)

    desk.store.step = crowded  # type: ignore[method-assign]
    await desk.rest()
    assert desk.store.rows[row_id].state is State.SETTLED


@pytest.mark.parametrize("made", [True, False])
async def test_a_claim_that_was_not_confirmed_is_released(desk: Desk, *, made: bool) -> None:
    """Its answer was lost, and maybe only that: nothing is sent, so its key must not stay taken."""
    unheard = desk.store.claim

    async def lost(wanted: Claim) -> tuple[Verdict, Record]:
        if made:
            await unheard(wanted)
        raise StoreUnavailable

    desk.store.claim = lost  # type: ignore[method-assign]
    with pytest.raises(StoreUnavailable):
        await desk.journal.claim(wanted(fence=fence()))
    desk.store.claim = unheard  # type: ignore[method-assign]
    await asyncio.sleep(0)
    assert desk.journal.owed == 1
    await desk.rest()
    assert (await desk.journal.claim(wanted(call="call-2")))[0] is Verdict.RUN
    assert desk.bugs == []


async def test_a_claim_of_another_call_is_left(desk: Desk) -> None:
    """Whoever has the key by now works under it."""
    desk.store.down = True
    with pytest.raises(StoreUnavailable):
        await desk.journal.claim(wanted())
    desk.store.down = False
    await desk.journal.claim(wanted(call="call-2", fence=fence()))
    await desk.rest()
    assert desk.store.rows[wanted().id].state is State.SENDING


async def test_what_is_owed_is_offered_once_at_a_time(desk: Desk) -> None:
    """A store that comes back is not asked a hundred times for each of a hundred endings."""
    rows = []
    for number in range(20):
        _, row = await desk.journal.claim(wanted(f"k{number}", fence=fence()))
        rows.append(row)
    desk.store.down = True
    for row in rows:
        await desk.journal.conclude(row.id, row.token, SETTLE, 1)
    desk.store.down = False
    asked: list[bytes] = []
    taken = desk.store.step

    async def counted(row_id: bytes, token: int, made: Step) -> Record:
        asked.append(row_id)
        await asyncio.sleep(0.005)
        return await taken(row_id, token, made)

    desk.store.step = counted  # type: ignore[method-assign]
    await desk.rest()
    assert len(asked) == len(rows)
