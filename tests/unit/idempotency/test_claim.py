"""Rules for who may run under a key, and for what everybody else gets."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.idempotency.record import State
from proxy.idempotency.transitions import taken_over
from proxy.model.events import LateEnding
from proxy.model.outcome import (
    Answered,
    Execution,
    InDoubt,
    Origin,
    Outcome,
    Refused,
    Unsent,
)
from proxy.model.phase import Phase
from proxy.model.route import KeyFrom
from tests.unit.idempotency.house import House, done, refused, state
from tests.unit.idempotency.values import KEYED

LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)
UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)


async def test_an_answer_is_given_again() -> None:
    """The same status, headers and body, marked as a replay; nothing is sent for it."""
    house = House()
    house.answers = [done()]
    first, again = await house.ask(), await house.ask()
    assert isinstance(first, Answered)
    assert again == replace(first, replayed=True)
    assert len(house.sent) == 1


@pytest.mark.parametrize("how", ["no rule", "no key", "a safe method"])
async def test_calls_that_are_not_journalled_pass(how: str) -> None:
    """Twice is two executions, and no row is written."""
    house = House()
    if how == "no rule":
        house.route = replace(house.route, idempotency=None)
    house.answers = [done(), done()]
    for _ in range(2):
        made = house.call(None if how == "no key" else "k1")
        if how == "a safe method":
            made.request.method = b"GET"
        assert await house.handle(made) == done()
    assert (len(house.sent), house.store.rows) == (2, {})


async def test_a_missing_key_is_refused_where_one_is_required() -> None:
    """Before anything is written or sent."""
    house = House(rule=replace(KEYED, key_from=KeyFrom.REQUIRED))
    assert refused(await house.ask(None)) == ("key_missing", 400, Execution.NONE)
    assert (house.sent, house.store.rows) == ([], {})


async def test_another_request_under_a_used_key_is_refused() -> None:
    """422, and nothing is sent."""
    house = House()
    house.answers = [done()]
    await house.ask()
    other = await house.ask(body=b'{"amount": 2}')
    assert refused(other) == ("key_reused", 422, Execution.UNKNOWN)
    assert len(house.sent) == 1


async def test_duplicates_wait_for_the_first_ones_answer() -> None:
    """Exactly one is sent; when the wait is over, 409 with a hint."""
    house = House(rule=replace(KEYED, wait_s=60.0))
    house.answers = [done()]
    house.gate = asyncio.Event()
    asked = [asyncio.ensure_future(house.ask()) for _ in range(20)]
    await asyncio.sleep(0.01)
    house.gate.set()
    outcomes = await asyncio.gather(*asked)
    assert sum(isinstance(each, Answered) and each.replayed for each in outcomes) == 19
    assert len(house.sent) == 1


async def test_a_duplicate_does_not_wait_for_ever() -> None:
    """409, come back: the first is still at work."""
    house = House(rule=replace(KEYED, wait_s=0.0))
    house.answers = [done()]
    house.gate = asyncio.Event()
    first = asyncio.ensure_future(house.ask())
    await asyncio.sleep(0.01)
    busy = await house.ask()
    assert refused(busy) == ("key_busy", 409, Execution.UNKNOWN)
    assert isinstance(busy, Refused)
    assert busy.retry_after_s == 1
    house.gate.set()
    assert await first == done()


@pytest.mark.parametrize(
    ("outcome", "left"),
    [(done(), State.SETTLED), (UNSENT, State.RELEASED), (LOST, State.IN_DOUBT)],
)
async def test_the_ending_is_written_before_it_is_told(outcome: Outcome, left: State) -> None:
    """And told as it is."""
    house = House()
    house.answers = [outcome, outcome]
    assert await house.ask() == outcome
    assert state(house) is left


async def test_a_journal_that_is_away_refuses_before_anything_is_sent() -> None:
    """It says unknown: an earlier call with this key may have run."""
    house = House()
    house.store.down = True
    away = await house.ask()
    assert refused(away) == ("journal_unavailable", 503, Execution.UNKNOWN)
    assert house.sent == []


async def test_a_journal_that_goes_away_before_a_fence_sends_nothing_more() -> None:
    """The first attempt was fenced with the claim; the key is free when the journal is back."""
    house = House()
    house.store.down_after_claims = True
    house.answers = [UNSENT]
    assert refused(await house.ask()) == ("journal_unavailable", 503, Execution.NONE)
    assert [upstream for upstream, _ in house.sent] == ["a"]
    house.store.down = house.store.down_after_claims = False
    await asyncio.sleep(0.6)
    assert state(house) is State.RELEASED


async def test_an_answer_that_is_not_stored_is_not_told() -> None:
    """The caller hears unknown; the answer is kept, stored later, and given to the retry."""
    house = House()
    house.answers = [done()]
    house.gate = asyncio.Event()
    asked = asyncio.ensure_future(house.ask())
    await asyncio.sleep(0.01)
    house.store.down = True
    house.gate.set()
    told = await asked
    assert isinstance(told, InDoubt)
    assert (told.reason, told.origin) == ("journal_unavailable", Origin.PROXY)
    house.store.down = False
    await asyncio.sleep(0.6)
    assert await house.ask() == replace(done(), replayed=True)


async def test_a_caller_that_leaves_stops_nothing() -> None:
    """The run goes to its end, and its answer is there for the retry."""
    house = House()
    house.answers = [done()]
    house.gate = asyncio.Event()
    asked = asyncio.ensure_future(house.ask())
    while not house.sent:
        await asyncio.sleep(0)
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    house.gate.set()
    assert await house.ask() == replace(done(), replayed=True)
    assert len(house.sent) == 1


async def test_a_bug_after_the_sending_is_a_doubt() -> None:
    """It goes up as it is, and the key is not free."""
    house = House()
    house.answers = [ZeroDivisionError()]
    with pytest.raises(ZeroDivisionError):
        await house.ask()
    assert state(house) is State.IN_DOUBT


async def test_a_late_answer_settles_what_was_in_doubt() -> None:
    """The caller was answered at its deadline; the retry gets the partner's answer."""
    house = House()
    house.answers = [LOST]
    made = house.call()
    await house.handle(made)
    attempt = made.attempts[0]
    attempt.late, attempt.late_outcome = done().response, done()
    house.claims.late(LateEnding(made, attempt))
    await asyncio.sleep(0.01)
    assert await house.ask() == replace(done(), replayed=True)


async def test_an_answer_that_comes_while_the_ending_is_written_settles_too() -> None:
    """The two are ordered: first the doubt, then the news."""
    house = House()
    made = house.call()

    house.answers = [LOST]
    house.gate = asyncio.Event()
    asked = asyncio.ensure_future(house.handle(made))
    await asyncio.sleep(0.01)
    attempt = made.attempts[0]
    attempt.late, attempt.late_outcome = done().response, done()
    house.claims.late(LateEnding(made, attempt))
    house.gate.set()
    await asked
    await asyncio.sleep(0.01)
    assert await house.ask() == replace(done(), replayed=True)


async def test_late_news_without_an_answer_changes_nothing() -> None:
    """Nor does news of a call that has no key."""
    house = House()
    house.answers = [LOST, LOST]
    made, keyless = house.call(), house.call(None)
    for each in (made, keyless):
        await house.handle(each)
        house.claims.late(LateEnding(each, each.attempts[0]))
    assert state(house) is State.IN_DOUBT


async def test_a_stored_answer_that_cannot_be_opened_is_said() -> None:
    """It was executed, so nothing is sent."""
    house = House()
    house.answers = [done()]
    await house.ask()
    (row,) = house.store.rows.values()
    house.store.rows[row.id] = replace(row, answer=row.answer[:-1] + bytes([row.answer[-1] ^ 1]))
    assert refused(await house.ask()) == ("answer_unreadable", 500, Execution.DONE)
    assert len(house.sent) == 1


async def test_a_run_that_was_given_up_does_not_say_none() -> None:
    """It did nothing, but whoever has the key now may have: the caller must not pay elsewhere."""
    house = House()
    house.answers = [UNSENT, UNSENT]
    house.gate = asyncio.Event()
    asked = asyncio.ensure_future(house.ask())
    while not house.sent:
        await asyncio.sleep(0)
    (row,) = house.store.rows.values()
    house.store.rows[row.id] = taken_over(row, "another", 0, house.store.instant())
    house.gate.set()
    assert refused(await asked) == ("taken_over", 409, Execution.UNKNOWN)
