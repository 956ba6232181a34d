"""Rules for a key whose call is in doubt."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.record import Settle, State
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


@pytest.mark.parametrize(
    "outcome",
    [UNSENT, LOST, Answered("acme", "a", response(429), Execution.NONE), done(401)],
)
async def test_a_repetition_that_fails_leaves_the_doubt(outcome: Outcome) -> None:
    """And says unknown, whatever became of the repetition itself; it goes nowhere else."""
    house = House(own_keys=True)
    house.answers = [LOST, outcome]
    await house.ask()
    assert refused(await house.ask()) == ("in_doubt", 409, Execution.UNKNOWN)
    assert state(house) is State.IN_DOUBT
    assert [upstream for upstream, _ in house.sent] == ["a", "a"]


async def test_what_an_operator_resolved_as_done_is_not_sent_again() -> None:
    """The answer is not known, so the caller is told that it was executed, and nothing else."""
    house = House()
    house.answers = [LOST]
    await house.ask()
    (row,) = house.store.rows.values()
    await house.store.step(row.id, row.token, Settle(0, "resolved", b"", "asked by phone"))
    assert refused(await house.ask()) == ("resolved_done", 409, Execution.DONE)
    assert len(house.sent) == 1
