"""Rules for waiting for the journal: bounded, and nothing that was learned is lost."""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.journal import Conclusion
from proxy.idempotency.record import JournalError, State, Superseded, Verdict
from proxy.idempotency.runs import Run
from proxy.idempotency.store import StoreUnavailable
from tests.unit.idempotency.values import DOUBT, RELEASE, SETTLE, fence, wanted
from tests.unit.idempotency.waiting import Desk


@pytest.fixture
async def desk() -> Desk:
    """One journal."""
    return Desk()


async def test_changes_go_to_the_store(desk: Desk) -> None:
    """And its verdicts and refusals come back."""
    row_id, token = await desk.sending()
    assert await desk.journal.conclude(row_id, token, SETTLE) is Conclusion.DURABLE
    assert (await desk.journal.claim(wanted()))[0] is Verdict.REPLAY
    with pytest.raises(Superseded):
        await desk.journal.step(row_id, token + 1, RELEASE)
    with pytest.raises(JournalError):
        await desk.journal.step(row_id, token, DOUBT)


@pytest.mark.parametrize("how", ["full", "slow", "down"])
async def test_nothing_is_claimed_while_the_journal_is_away(desk: Desk, how: str) -> None:
    """A full disk and a change that waits too long are known before anybody waits again."""
    desk.store.takes_claims = how != "full"
    desk.store.waited_s = 1.0 if how == "slow" else 0.0
    desk.store.down = how == "down"
    with pytest.raises(StoreUnavailable):
        await desk.journal.claim(wanted())
    assert desk.store.rows == {}


async def test_a_claim_that_came_too_late_is_let_go(desk: Desk) -> None:
    """Else its key would be busy for ever."""
    desk.store.gate = asyncio.Event()
    with pytest.raises(StoreUnavailable):
        await desk.journal.claim(wanted())
    desk.store.gate.set()
    for _ in range(10):
        await asyncio.sleep(0)
    (row,) = desk.store.rows.values()
    assert (row.state, row.reason) == (State.RELEASED, "abandoned")


async def test_a_late_claim_that_failed_is_nobodys_error(desk: Desk) -> None:
    """Whoever waited has been told already."""
    desk.store.gate = asyncio.Event()
    with pytest.raises(StoreUnavailable):
        await desk.journal.claim(wanted())
    desk.store.down = True
    desk.store.gate.set()
    assert await desk.journal.close(1.0)
    assert (desk.store.rows, desk.bugs) == ({}, [])


async def test_a_step_has_its_time_and_goes_on_without_us(desk: Desk) -> None:
    """It may still become durable, so whoever asked must assume the worse."""
    _, row = await desk.journal.claim(wanted())
    desk.store.gate = asyncio.Event()
    with pytest.raises(StoreUnavailable):
        await desk.journal.step(row.id, row.token, fence())
    desk.store.gate.set()
    assert await desk.journal.close(1.0)
    assert desk.store.rows[row.id].state is State.SENDING


async def test_a_cancelled_caller_stops_no_ending(desk: Desk) -> None:
    """What was begun is written."""
    row_id, token = await desk.sending()
    desk.store.gate = asyncio.Event()
    waiting = asyncio.ensure_future(desk.journal.conclude(row_id, token, SETTLE))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    desk.store.gate.set()
    assert await desk.journal.close(1.0)
    assert desk.store.rows[row_id].state is State.SETTLED


async def test_work_outlives_whoever_asks_for_it(desk: Desk) -> None:
    """Who stays gets what it comes to, or its error."""
    gate = asyncio.Event()
    done: list[str] = []

    async def work(name: str, run: Run) -> str:
        try:
            await gate.wait()
            if name == "wrong":
                raise ValueError(name)
            done.append(name)
            return name
        finally:
            desk.journal.runs.end(run)

    def ask(name: str) -> asyncio.Task[str]:
        run = desk.journal.runs.begin(name.encode())
        return asyncio.ensure_future(desk.journal.outlive(work(name, run), run.told))

    left, stayed, wrong = ask("left"), ask("stayed"), ask("wrong")
    await asyncio.sleep(0)
    left.cancel()
    with pytest.raises(asyncio.CancelledError):
        await left
    gate.set()
    assert await stayed == "stayed"
    with pytest.raises(ValueError, match="wrong"):
        await wrong
    assert await desk.journal.close(1.0)
    assert done == ["left", "stayed"]


async def test_a_store_that_says_so_wakes_who_waits_at_once(desk: Desk) -> None:
    """And of what does not run here nothing is heard."""
    loop = asyncio.get_running_loop()
    work, waiter, strange = loop.create_future(), loop.create_future(), loop.create_future()
    desk.journal.own(work, waiter)
    work.set_result(None)
    assert not waiter.done()
    desk.journal.ended(work)
    assert waiter.done()
    strange.set_result(None)
    desk.journal.ended(strange)
    assert await desk.journal.close(1.0)


async def test_work_that_is_cancelled_keeps_nobody_waiting(desk: Desk) -> None:
    """Not even where it had not begun."""
    run = desk.journal.runs.begin(b"k")
    asked = asyncio.ensure_future(desk.journal.outlive(asyncio.sleep(60), run.told))
    await asyncio.sleep(0)
    assert await desk.journal.close(0.0) is False
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(asked, 1.0)


async def test_closing_waits_for_what_runs_but_not_for_ever(desk: Desk) -> None:
    """What could not end is said."""
    never = asyncio.Event()
    desk.journal.own(never.wait())
    assert await desk.journal.close(0.02) is False
    assert desk.store.closed


async def test_what_is_still_owed_at_the_end_is_said(desk: Desk) -> None:
    """The exit code tells that something was cut."""
    row_id, token = await desk.sending()
    desk.store.down = True
    assert await desk.journal.conclude(row_id, token, SETTLE) is Conclusion.OWED
    assert await desk.journal.close(0.02) is False


async def test_steps_are_timed_until_they_are_durable(desk: Desk) -> None:
    """Also those that fail; and of claims those by which a row changes."""
    timed: list[float] = []
    desk.journal.committed = timed.append
    row_id, token = await desk.sending()
    assert len(timed) == 2
    assert (await desk.journal.claim(wanted()))[0] is Verdict.BUSY
    assert len(timed) == 2
    desk.store.gate = asyncio.Event()
    with pytest.raises(StoreUnavailable):
        await desk.journal.step(row_id, token, SETTLE)
    assert timed[2] >= 0.01
    desk.store.gate.set()
    desk.store.down = True
    await desk.journal.conclude(row_id, token, SETTLE)
    assert len(timed) == 4


async def test_whether_it_is_available(desk: Desk) -> None:
    """Not without room, and not while a change waits too long."""
    found = [desk.journal.available]
    desk.store.waited_s = 10.0
    found.append(desk.journal.available)
    desk.store.waited_s, desk.store.takes_claims = 0.0, False
    found.append(desk.journal.available)
    assert found == [True, False, False]
