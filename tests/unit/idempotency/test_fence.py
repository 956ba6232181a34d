"""Rules for the fence: durable before the first byte."""

from __future__ import annotations

from dataclasses import replace
from unittest import mock

from proxy.idempotency.record import Fence, Record, State, Step
from proxy.model.outcome import Execution, Origin, Refused, Unsent
from proxy.model.phase import Phase
from tests.unit.idempotency.house import House, done, refused

UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)


async def test_each_attempt_is_fenced_before_it_is_made() -> None:
    """With its upstream, its number, the partner's key and the instant until which it may begin."""
    house = House()
    house.answers = [UNSENT, done()]
    await house.ask()
    fences = [made for made in house.store.steps if isinstance(made, Fence)]
    assert [(each.upstream, each.attempt) for each in fences] == [("a", 1), ("b", 2)]
    assert {each.partner_key for each in fences} == {house.sent[0][1]}
    limits = house.route.candidates[0].timeouts
    opening_s = limits.queue_s + limits.resolve_s + limits.connect_s + limits.tls_s
    assert opening_s + 1.0 < house.route.deadline_s
    assert fences[0].send_by == house.clock.wall() + opening_s + 1.0
    assert house.store.steps[:2] == fences


async def test_a_run_that_was_taken_over_sends_nothing_more() -> None:
    """And says that another one has the key."""
    house = House()
    house.store.taken_over = True
    house.answers = [UNSENT]
    outcome = await house.ask()
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.execution) == ("taken_over", Execution.UNKNOWN)
    assert [upstream for upstream, _ in house.sent] == ["a"]
    (row,) = house.store.rows.values()
    assert row.state is State.SENDING


async def test_a_row_that_is_gone_before_a_fence_sends_nothing_more() -> None:
    """Somebody took it away: nothing is sent without one, and the key is free."""
    house = House()
    house.answers = [UNSENT]
    step = house.store.step

    async def undone(row_id: bytes, token: int, made: Step) -> Record:
        house.store.rows.clear()
        return await step(row_id, token, made)

    with mock.patch.object(house.store, "step", undone):
        assert refused(await house.ask()) == ("journal_unavailable", 503, Execution.NONE)
    assert (len(house.sent), house.bugs, house.journal.owed) == (1, [], 0)
    house.answers = [done()]
    assert await house.ask() == done()


async def test_an_attempt_must_not_begin_later_than_the_journal_says() -> None:
    """By the clock of the attempt, which is not the journal's; never later than the deadline."""
    house = House()
    house.answers = [UNSENT, done()]
    made = house.call()
    made.deadline_at = house.clock.now() + 0.25
    await house.handle(made)
    assert made.ticket is not None
    assert made.ticket.send_by == made.deadline_at
    first, second = (each for each in house.store.steps if isinstance(each, Fence))
    assert second.send_by == house.clock.wall() + 0.25
    assert first.send_by > second.send_by, "the claim does not know the caller's own deadline"


async def test_the_first_fence_of_a_long_claim_ends_with_the_routes_deadline() -> None:
    """However long its phases may take."""
    house = House()
    house.route = replace(house.route, deadline_s=0.5)
    house.answers = [done()]
    made = house.call()
    await house.handle(made)
    (intent,) = [each for each in house.store.steps if isinstance(each, Fence)]
    assert intent.send_by == house.clock.wall() + 0.5
    assert made.ticket is not None
    assert made.ticket.send_by == house.clock.now() + 0.5
