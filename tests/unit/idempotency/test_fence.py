"""Rules for the fence: durable before the first byte."""

from __future__ import annotations

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
    assert all(fence in house.store.steps[: len(house.sent)] for fence in fences)


async def test_a_run_that_was_taken_over_sends_nothing() -> None:
    """And says that another one has the key."""
    house = House()
    house.store.taken_over = True
    outcome = await house.ask()
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.execution) == ("taken_over", Execution.UNKNOWN)
    assert house.sent == []
    (row,) = house.store.rows.values()
    assert row.state is State.CLAIMED


async def test_a_claim_that_was_lost_before_its_fence_sends_nothing() -> None:
    """The disk was full, and the commit that they shared was undone: the journal is away, which is
    no bug of ours, and the key is free.
    """
    house = House()
    step = house.store.step

    async def undone(row_id: bytes, token: int, made: Step) -> Record:
        house.store.rows.clear()
        return await step(row_id, token, made)

    with mock.patch.object(house.store, "step", undone):
        assert refused(await house.ask()) == ("journal_unavailable", 503, Execution.NONE)
    assert (house.sent, house.bugs, house.journal.owed) == ([], [], 0)
    house.answers = [done()]
    assert await house.ask() == done()


async def test_an_attempt_must_not_begin_later_than_the_journal_says() -> None:
    """By the clock of the attempt, which is not the journal's; never later than the deadline."""
    house = House()
    house.answers = [done()]
    made = house.call()
    made.deadline_at = house.clock.now() + 0.25
    await house.handle(made)
    assert made.ticket is not None
    assert made.ticket.send_by == made.deadline_at
    (intent,) = [each for each in house.store.steps if isinstance(each, Fence)]
    assert intent.send_by == house.clock.wall() + 0.25
