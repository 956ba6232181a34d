"""`proxy.routing.routed`: the call gets its route, or learns why there is none."""

from __future__ import annotations

import pytest

from proxy.inbound.translate import Identities, translate
from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, Outcome, Refused
from proxy.routing.routed import routed
from proxy.routing.table import RouteTable
from tests.support.values import CARD, request, response, route

CHARGES = route(methods=frozenset((b"POST",)))


async def _through(target: bytes, method: bytes = b"POST") -> tuple[Outcome, Call]:
    async def inner(_: Call) -> Outcome:
        return Answered("acme", "a", response(), Execution.DONE)

    made = translate(request(method, target), Identities(b"x"))
    return await routed(RouteTable([CHARGES]))(inner)(made), made


async def test_a_call_that_matches_goes_on_with_its_route() -> None:
    """Everything below reads the route from the call."""
    outcome, made = await _through(b"/psp/charges?expand=1")
    assert isinstance(outcome, Answered)
    assert made.route is CHARGES


@pytest.mark.parametrize(
    ("target", "method", "status", "reason"),
    [
        (b"/other", b"POST", 404, "no_route"),
        (b"/psp/charges", b"GET", 405, "no_route_for_method"),
    ],
)
async def test_a_call_without_a_route_is_refused_by_name(
    target: bytes, method: bytes, status: int, reason: str
) -> None:
    """An unknown path and an unknown method are told apart; nothing was sent."""
    outcome, made = await _through(target, method)
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.reason) == (status, reason)
    assert outcome.execution is Execution.NONE
    assert made.route is None


async def test_the_path_is_not_repeated() -> None:
    """It may hold anything."""
    outcome, _ = await _through(f"/other/{CARD}".encode())
    assert CARD not in repr(outcome)
