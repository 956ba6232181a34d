"""Rules for the settler at work: what it survives, and whom it keeps waiting."""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.record import Record, State
from proxy.idempotency.store import StoreUnavailable
from proxy.model.events import Bug
from proxy.model.outcome import Outcome
from proxy.model.settling import Question, SettleRule
from tests.unit.idempotency.desk import FOUND, Desk
from tests.unit.idempotency.values import INQUIRY


@pytest.fixture
async def desk() -> Desk:
    """A desk with nothing on it."""
    return Desk()


async def test_it_goes_on_when_the_journal_was_away(desk: Desk) -> None:
    """Until it is cancelled."""
    row_id = await desk.doubt("k1")
    desk.says(200, FOUND)
    desk.store.down = True
    running = asyncio.ensure_future(desk.settler.run())
    await asyncio.sleep(0.01)
    desk.store.down = False
    for _ in range(300):
        if desk.store.rows[row_id].state is State.SETTLED:
            break
        await asyncio.sleep(0.01)
    assert desk.store.rows[row_id].state is State.SETTLED
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_a_journal_that_goes_away_between_forgets_no_waits(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else every partner would be besieged each time that the disk is slow."""
    await desk.doubt("k1")
    desk.says(200, FOUND)
    monkeypatch.setattr(desk.journal, "step", _away)
    await desk.settler.settle_all()
    await desk.settler.settle_all()
    assert len(desk.asked) == 1


async def _away(*_: object) -> Record:
    raise StoreUnavailable


async def test_a_partner_that_hangs_keeps_nobody_else_waiting() -> None:
    """Each upstream has its own task."""
    rule = SettleRule(INQUIRY)
    desk = Desk({("a", "authorize"): rule, ("b", "authorize"): rule})
    hung, other = await desk.doubt("k1"), await desk.doubt("k2", upstream="b")
    desk.says(200, FOUND)
    ask = desk.settler._ask

    async def hanging(upstream: str, asked: Question) -> Outcome:
        if upstream == "a":
            await asyncio.Event().wait()
        return await ask(upstream, asked)

    desk.settler._ask = hanging
    running = asyncio.ensure_future(desk.settler.run())
    for _ in range(10):
        await asyncio.sleep(0)
    assert desk.row(other).state is State.SETTLED
    assert desk.row(hung).state is State.IN_DOUBT
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_rows_are_not_asked_about_as_they_were_long_ago(desk: Desk) -> None:
    """At a slow partner the work ends after a while, and goes on with what the next look sees."""
    for number in range(40):
        await desk.doubt(f"k{number}")
    ask = desk.settler._ask

    async def slow(upstream: str, asked: Question) -> Outcome:
        desk.clock.advance(0.5)
        return await ask(upstream, asked)

    desk.settler._ask = slow
    desk.says(200, FOUND)
    await desk.settler.settle_all()
    assert len(desk.asked) == 12
    for _ in range(3):
        await desk.settler.settle_all()
    assert {row.state for row in desk.store.rows.values()} == {State.SETTLED}
    assert len(desk.asked) == 40


async def test_a_failure_of_our_own_code_is_told(desk: Desk) -> None:
    """And ends nothing but the work on those rows."""
    await desk.doubt("k1")

    async def broken(upstream: str, asked: Question) -> Outcome:
        raise ZeroDivisionError

    desk.settler._ask = broken
    running = asyncio.ensure_future(desk.settler.run())
    for _ in range(10):
        await asyncio.sleep(0)
    (event,) = desk.events
    assert isinstance(event, Bug)
    assert event.kind == "ZeroDivisionError"
    assert not running.done()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


async def test_with_nobody_to_ask_it_ends() -> None:
    """It costs nothing where no inquiry is configured."""
    idle = Desk({("a", "authorize"): SettleRule()})
    await asyncio.wait_for(idle.settler.run(), 1.0)
