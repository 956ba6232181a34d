"""`proxy.guard.bulkheads`: whose places an attempt takes, and how long it may wait for one."""

from __future__ import annotations

import asyncio

import pytest

from proxy.guard.bulkheads import Bulkheads
from proxy.model.bulkhead import BestEffort, BulkheadLimits
from proxy.model.call import Call, Ticket
from proxy.model.outcome import Answered, Execution, Outcome, Refused
from proxy.model.route import Candidate, Route
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, response, route, upstream

REACHED = Answered("acme", "a", response(), Execution.DONE)
ONE = candidate(upstream=upstream(bulkhead=BulkheadLimits(1, 1)))
EFFORT = BestEffort(response(204), wait=True, at_work_max=3)


def house(*routes: Route) -> Bulkheads:
    """The compartments of these routes."""
    return Bulkheads(routes, ManualClock().now)


async def _reached(_: Call, __: Candidate) -> Outcome:
    return REACHED


def test_operations_at_one_upstream_have_places_of_their_own() -> None:
    """And upstreams; two routes of one operation share theirs."""
    made = house(
        route(ONE), route(ONE, name="more"), route(ONE, operation="refund"), route(candidate("b"))
    )
    known = [(row["upstream"], row["compartment"]) for row in made.report()]
    assert known == [("a", "authorize"), ("a", "refund"), ("b", "authorize")]


def test_a_best_effort_route_never_takes_a_place_of_another() -> None:
    """Even of its own operation; its bound is the route's."""
    made = house(route(ONE), route(ONE, name="track", best_effort=EFFORT))
    limits = [(row["compartment"], row["limit"], row["waiting_max"]) for row in made.report()]
    assert limits == [("authorize", 1, 1), ("best_effort/track", 3, 3)]


async def test_a_place_is_held_while_the_attempt_is_at_work() -> None:
    """And given back when it has ended."""
    taken = route(ONE)
    made, seen = house(taken), []

    async def inner(_: Call, __: Candidate) -> Outcome:
        seen.append(made.of("a", "authorize").at_work)
        return REACHED

    assert await made.layer()(inner)(call(taken=taken), ONE) is REACHED
    assert seen == [1]
    assert made.of("a", "authorize").at_work == 0


async def test_a_free_place_costs_no_turn_of_the_loop() -> None:
    """The attempt has begun before anybody else could."""
    taken, begun = route(ONE), []

    async def inner(_: Call, __: Candidate) -> Outcome:
        begun.append(True)
        return REACHED

    handled = house(taken).layer()(inner)(call(taken=taken), ONE)
    assert asyncio.iscoroutine(handled)
    with pytest.raises(StopIteration):
        handled.send(None)
    assert begun


@pytest.mark.parametrize("error", [ZeroDivisionError(), asyncio.CancelledError()])
async def test_a_place_is_given_back_after_a_bug_and_after_a_cancellation(
    error: BaseException,
) -> None:
    """A place that leaks would be one less for ever."""
    taken = route(ONE)
    made = house(taken)

    async def inner(_: Call, __: Candidate) -> Outcome:
        raise error

    for _ in range(3):
        with pytest.raises(type(error)):
            await made.layer()(inner)(call(taken=taken), ONE)
    assert made.of("a", "authorize").at_work == 0


def _ticket(send_by: float, fenced_for: str | None) -> Ticket:
    return Ticket(
        b"r" * 16, 1, 0, "k", False, None, frozenset(), True, fenced_for=fenced_for, send_by=send_by
    )


@pytest.mark.parametrize(
    ("fenced_for", "left_ms"),
    [("a", 0), ("b", 1000), (None, 1000)],
    ids=["fenced for it", "fenced for another", "to be fenced anew"],
)
async def test_the_wait_ends_before_the_instant_that_the_journal_was_promised(
    fenced_for: str | None, left_ms: int
) -> None:
    """Where the fence was for this upstream. Otherwise its turn may take `queue`."""
    taken = route(candidate(upstream=upstream(bulkhead=BulkheadLimits(1, 0))))
    made = house(taken)
    assert made.of("a", "authorize").take()
    asked = call(taken=taken)
    asked.ticket = _ticket(asked.arrived_at, fenced_for)
    refused = await made.layer()(_reached)(asked, ONE)
    assert isinstance(refused, Refused)
    assert refused.reason == ("bulkhead_late" if not left_ms else "bulkhead_full")
    assert asked.ticket.fenced_for == fenced_for
