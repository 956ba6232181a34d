"""`proxy.guard.gate`: who is asked for each attempt, what is told, and what is refused."""

from __future__ import annotations

import asyncio

import pytest

from proxy.guard.gate import strays
from proxy.guard.permit import State
from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.bulkhead import BestEffort
from proxy.model.call import Attempt, Call, Ticket
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
from proxy.model.route import Candidate
from tests.support.values import call, candidate, response, route, upstream
from tests.unit.guard.slices import OK, Slices, ask, ending

BROKEN = Answered("acme", "a", response(500), Execution.UNKNOWN)
UNREACHABLE = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)
LATE = InDoubt("acme", "a", Phase.FIRST_BYTE, "deadline", Origin.PARTNER)
FULL = Refused("bulkhead_full", 503, "", Origin.PROXY)
A, B = candidate("a"), candidate("b")


async def test_what_an_attempt_comes_to_is_told_to_the_circuit() -> None:
    """Five connections refused in a row, over more than two seconds, open it."""
    house, taken = Slices(route(A, B)), route(A, B)
    for _ in range(5):
        assert await ask(house, taken, A, UNREACHABLE, 1.0) is UNREACHABLE
    assert house.made.of("a", "authorize").state is State.OPEN
    assert house.made.of("b", "authorize").state is State.CLOSED


async def test_a_refusal_says_why_with_its_figures_and_when_to_come_again() -> None:
    """503, nothing was executed, and failover may go on."""
    house, taken = Slices(route(A, B)), route(A, B)
    house.trip("a")
    refused = await ask(house, taken, A)
    assert isinstance(refused, Refused)
    assert (refused.reason, refused.status) == ("breaker_open", 503)
    assert (refused.execution, refused.origin) == (Execution.NONE, Origin.PARTNER)
    assert (refused.partner, refused.upstream) == ("acme", "a")
    assert refused.retry_after_s is not None
    assert 3 <= refused.retry_after_s <= 7
    assert refused.detail.startswith("The breaker of authorize at a is open: ")
    assert "the next probe is due in" in refused.detail


async def test_a_call_that_is_cancelled_gives_its_permit_back() -> None:
    """Also a probe's, of which there are two."""
    house, taken = Slices(route(A, B)), route(A, B)
    circuit = house.trip("a")
    house.clock.advance(60.0)

    async def inner(_: Call, __: Candidate) -> Outcome:
        raise asyncio.CancelledError

    for _ in range(5):
        with pytest.raises(asyncio.CancelledError):
            await house.made.layer()(inner)(call(taken=taken), A)
    standing = circuit.standing(house.clock.now())
    assert (standing.state, standing.probes) == (State.HALF_OPEN, 0)


async def test_a_bug_of_ours_counts_nothing() -> None:
    """Nor does a refusal of the layers below."""
    house, taken = Slices(route()), route()

    async def inner(_: Call, __: Candidate) -> Outcome:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await house.made.layer()(inner)(call(taken=taken), A)

    async def full(_: Call, __: Candidate) -> Outcome:
        return FULL

    assert await house.made.layer()(full)(call(taken=taken), A) is FULL
    assert house.made.of("a", "authorize").tally(house.clock.now()) == (0, 0)


async def test_a_wait_for_a_place_is_not_the_partners() -> None:
    """However long: only what an attempt's own record shows makes it overdue."""
    house, taken = Slices(route()), route()
    circuit = house.made.of("a", "authorize")
    begun, go = asyncio.Event(), asyncio.Event()

    async def inner(asked: Call, at: Candidate) -> Outcome:
        await begun.wait()
        now = house.clock.now()
        asked.attempts.append(Attempt(number=1, candidate=at, begun_at=now, sent_at=now))
        await go.wait()
        return OK

    running = asyncio.ensure_future(house.made.layer()(inner)(call(taken=taken), A))
    await asyncio.sleep(0)
    house.clock.advance(20.0)
    assert circuit.standing(house.clock.now()).figures.slow == 0
    begun.set()
    await asyncio.sleep(0)
    house.clock.advance(10.5)
    house.made.tick()
    house.clock.advance(1.0)
    house.made.tick()
    assert circuit.standing(house.clock.now()).figures.slow == 1
    go.set()
    await running


async def test_the_only_candidate_is_throttled_and_never_closed() -> None:
    """At least one call in five goes through, however dead it seems."""
    house, taken = Slices(route(A)), route(A)
    house.trip("a")
    ends = []
    for _ in range(40):
        ends.append(await ask(house, taken, A, BROKEN))
        house.clock.advance(0.1)
    refused = [end for end in ends if isinstance(end, Refused)]
    assert 8 <= ends.count(BROKEN) < 20
    assert {each.reason for each in refused} == {"breaker_throttled"}
    assert "no other way is left, and 2" in refused[-1].detail


async def test_of_two_dead_candidates_the_better_one_is_the_last_way() -> None:
    """The other refuses; who was tried by this call already is no way any more."""
    house, taken = Slices(route(A, B)), route(A, B)
    house.trip("a")
    house.trip("b")
    for _ in range(3):
        await ask(house, taken, A, BROKEN)  # a has failed more often now
    assert [row["throttled"] for row in house.made.report()][1] == 0
    assert isinstance(await ask(house, taken, A), Refused)
    house.clock.advance(2.0)
    assert await ask(house, taken, B, BROKEN) is BROKEN
    house.clock.advance(2.0)
    asked = call(taken=taken)
    asked.attempts.append(Attempt(number=1, candidate=B, begun_at=0.0))
    inner = ending(house, BROKEN)
    assert await house.made.layer()(inner)(asked, A) is BROKEN


async def test_no_candidate_is_the_last_way_while_a_later_one_would_take_the_call() -> None:
    """An earlier one has had its chance."""
    house, taken = Slices(route(A, B)), route(A, B)
    house.trip("a")
    assert isinstance(await ask(house, taken, A), Refused)
    turned = route(B, A)
    assert await ask(house, turned, A, BROKEN) is BROKEN


async def test_a_repetition_has_one_way_and_is_throttled_there() -> None:
    """What is in doubt at a can be settled nowhere else."""
    house, taken = Slices(route(A, B)), route(A, B)
    house.trip("a")
    asked = call(taken=taken)
    asked.ticket = Ticket(b"r" * 16, 2, 1, "k", True, "a", frozenset())
    assert await house.made.layer()(ending(house, OK))(asked, A) is OK


async def test_an_operators_isolation_is_refused_even_at_the_last_way() -> None:
    """And on the routes where nothing else is."""
    far = candidate("b", "other")
    house = Slices(route(A), route(A, far, operation="capture", name="later"))
    for compartment in ("authorize", "capture"):
        circuit = house.made.of("a", compartment)
        circuit.isolate("their cable was cut", house.clock.now() + 60.0, house.clock.now())
    for taken in (route(A), route(A, far, operation="capture", name="later")):
        refused = await ask(house, taken, A)
        assert isinstance(refused, Refused)
        assert (refused.reason, refused.retry_after_s) == ("breaker_isolated", 60)
        assert "their cable was cut" in refused.detail


async def test_what_belongs_to_an_earlier_payment_is_not_sent_to_another_partner() -> None:
    """So it is never refused by a guess; within one partner it may be."""
    for other, refused in ((candidate("b", "other"), False), (B, True)):
        taken = route(A, other, operation="inquire")
        house = Slices(taken)
        house.trip("a", "inquire")
        ended = await ask(house, taken, A)
        assert isinstance(ended, Refused) is refused
        assert strays(call(taken=taken), taken) is not refused


async def test_what_was_narrowed_to_its_partner_is_asked_for_like_any_call() -> None:
    """Failover can take it nowhere else."""
    taken = route(A, candidate("b", "other"), operation="capture")
    narrowed = call(taken=taken)
    assert strays(narrowed, taken)
    narrowed.candidates = (A,)
    assert not strays(narrowed, taken)


async def test_a_breaker_that_is_off_watches_nothing() -> None:
    """There is none."""
    off = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.OFF)))
    house = Slices(route(off))
    for _ in range(10):
        assert await ask(house, route(off), off, UNREACHABLE, 1.0) is UNREACHABLE
    assert house.made.report() == []


async def test_in_shadow_mode_nothing_is_refused_and_all_is_counted() -> None:
    """So that a user can see what it would do."""
    shadow = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.SHADOW)))
    taken = route(shadow, B)
    house = Slices(taken)
    house.trip("a")
    assert await ask(house, taken, shadow, UNREACHABLE) is UNREACHABLE
    row = house.made.report()[0]
    assert (row["state"], row["shadow"], row["would_refuse"]) == ("open", True, 1)


async def test_a_callers_small_budget_is_no_fault_of_the_partners() -> None:
    """Neither a best-effort budget nor a short deadline; the route's own deadline is."""
    own = BestEffort(response(204), True, 10)
    effort = route(A, best_effort=own, deadline_s=0.05, operation="authenticate")
    house = Slices(effort, route(A, deadline_s=5.0))
    await ask(house, effort, A, LATE, 0.05)
    await ask(house, route(A, deadline_s=5.0), A, LATE, 1.0)
    figures = [(row["calls"], row["failures"]) for row in house.made.report()]
    assert figures == [(0, 0), (0, 0)]
    await ask(house, route(A, deadline_s=5.0), A, LATE, 5.0)
    assert house.made.report()[1]["failures"] == 1
    behind = BestEffort(response(204), False, 10)
    await ask(house, route(A, best_effort=behind, deadline_s=5.0), A, LATE, 5.0)
    assert house.made.report()[0]["failures"] == 1
