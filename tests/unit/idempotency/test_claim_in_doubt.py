"""Rules for a key whose call is in doubt."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import Mock

import pytest

from proxy.idempotency.journal import Conclusion
from proxy.idempotency.record import Claim, Record, Release, Settle, State, Verdict
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settling import REVERSED, Reverse, Settling
from proxy.model.call import Attempt
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from tests.support.values import response
from tests.unit.idempotency.house import House, done, refused, state

LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)
UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)


async def test_without_keys_of_the_partners_a_doubt_is_not_repeated() -> None:
    """409 with its age, and nothing is sent."""
    house = House()
    house.answers = [LOST]
    await house.ask()
    house.clock.advance(90.0)
    again = await house.ask()
    assert refused(again) == ("in_doubt", 409, Execution.UNKNOWN)
    assert isinstance(again, Refused)
    assert "90 s ago" in again.detail
    assert (again.partner, again.upstream) == ("acme", "a")
    assert len(house.sent) == 1


async def test_with_them_it_is_repeated_under_the_same_key_at_the_same_upstream() -> None:
    """Also when the first one got there by failover."""
    house = House(own_keys=True)
    house.answers = [UNSENT, replace(LOST, upstream="b"), done()]
    await house.ask()
    assert await house.ask() == done()
    assert [upstream for upstream, _ in house.sent] == ["a", "b", "b"]
    assert len({key for _, key in house.sent}) == 1
    assert state(house) is State.SETTLED


UNCLEAR = InDoubt("acme", "a", Phase.BODY, "in_doubt", Origin.PARTNER)
RESET = replace(LOST, phase=Phase.BODY, reason="reset")
REFUSES = Answered("acme", "a", response(429), Execution.NONE)


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (LOST, LOST),
        (RESET, RESET),
        (REFUSES, UNCLEAR),
        (done(401), UNCLEAR),
        (Answered("acme", "a", response(503), Execution.UNKNOWN), UNCLEAR),
    ],
)
async def test_a_repetition_that_fails_leaves_the_doubt(outcome: Outcome, told: InDoubt) -> None:
    """It was sent, so it is told as in doubt and not as refused; it goes nowhere else."""
    house = House(own_keys=True)
    house.answers = [LOST, outcome]
    await house.ask()
    assert await house.ask() == told
    assert state(house) is State.IN_DOUBT
    assert [upstream for upstream, _ in house.sent] == ["a", "a"]


async def test_a_repetition_that_is_not_sent_is_refused() -> None:
    """Unknown all the same, since the first sending is."""
    house = House(own_keys=True)
    house.answers = [LOST, UNSENT]
    await house.ask()
    assert refused(await house.ask()) == ("in_doubt", 409, Execution.UNKNOWN)
    assert state(house) is State.IN_DOUBT


async def test_a_repetition_of_which_one_attempt_was_sent_is_in_doubt() -> None:
    """Its last attempt was not; a refusal would say that none was."""
    house = House(own_keys=True)
    house.answers = [LOST, UNSENT]
    await house.ask()
    made = house.call()
    before = Attempt(number=1, candidate=house.route.candidates[0], begun_at=house.clock.now())
    before.sent_at = house.clock.now()
    made.attempts.append(before)
    assert await house.handle(made) == replace(UNCLEAR, origin=UNSENT.origin)


async def test_an_answer_that_comes_right_before_the_repetition_is_sent_stops_it() -> None:
    """It is no failure of ours: the caller asks again, and gets the answer."""
    house = House(own_keys=True)
    house.answers = [LOST]
    await house.ask()
    (first,) = house.store.rows.values()
    claim = house.store.claim

    async def late(wanted: Claim) -> tuple[Verdict, Record]:
        verdict, row = await claim(wanted)
        sealed = Sealer({"k": b"k" * 32}).seal_answer(row.id, done().response)
        came = Settle(201, "answered", sealed)
        told = await house.journal.conclude(row.id, first.token, came, first.attempt)
        assert (verdict, told) == (Verdict.RESEND, Conclusion.DURABLE)
        return verdict, row

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(house.store, "claim", late)
        assert refused(await house.ask()) == ("in_doubt", 409, Execution.UNKNOWN)
    assert await house.ask() == replace(done(), replayed=True)
    assert (len(house.sent), house.bugs) == (1, [])


async def test_after_a_reversal_the_partner_gets_another_key() -> None:
    """Under the old one it would answer with the payment that was undone."""
    house = House(own_keys=True)
    house.answers = [LOST, UNSENT, UNSENT, done()]
    await house.ask()
    (row,) = house.store.rows.values()
    taken = await house.store.step(row.id, row.token, Reverse())
    await house.store.step(row.id, taken.token, Release(REVERSED, of_all=True))
    assert (await house.ask()).execution is Execution.NONE
    assert await house.ask() == done()
    first, *later = [key for _, key in house.sent]
    assert len(later) == 3
    assert {first} | set(later) == {first, later[0]}
    assert first != later[0]


@pytest.mark.parametrize(
    ("settling", "words"),
    [
        (Settling.NOTHING, "Ask again later"),
        (Settling.ABSENT, "does not have it yet"),
        (Settling.GAVE_UP, "an operator has to look into it"),
        (Settling.REVERSING, "It is being reversed"),
        (Settling.UNREVERSED, "could not be reversed"),
    ],
)
async def test_a_caller_is_told_what_happens_next(settling: Settling, words: str) -> None:
    """So that nobody calls the partner by hand while the sidecar works on it."""
    house = House()
    house.answers = [LOST]
    await house.ask()
    (row,) = house.store.rows.values()
    row.settling = settling.value
    again = await house.ask()
    assert refused(again) == ("in_doubt", 409, Execution.UNKNOWN)
    assert isinstance(again, Refused)
    assert words in again.detail


async def test_what_an_operator_resolved_as_done_is_not_sent_again() -> None:
    """The answer is not known, so the caller is told that it was executed, and nothing else."""
    house = House()
    house.answers = [LOST]
    await house.ask()
    (row,) = house.store.rows.values()
    await house.store.step(row.id, row.token, Settle(0, "resolved", b"", "asked by phone"))
    assert refused(await house.ask()) == ("resolved_done", 409, Execution.DONE)
    assert len(house.sent) == 1


async def test_a_bug_after_the_answer_is_a_doubt(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key is not at work for ever."""
    house = House()
    house.answers = [done()]
    monkeypatch.setattr(Sealer, "seal_answer", Mock(side_effect=ZeroDivisionError))
    with pytest.raises(ZeroDivisionError):
        await house.ask()
    assert state(house) is State.IN_DOUBT
