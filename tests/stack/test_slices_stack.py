"""One scheme's breaker, order and failover together, on virtual time."""

from __future__ import annotations

import json
from dataclasses import replace

from proxy.model.dimension import Dimension, Source
from proxy.model.events import BreakerChanged
from proxy.model.message import Request
from tests.stack.stories import BROKEN, OK, said, two_candidates
from tests.support.attempt_stack import AttemptStack
from tests.support.values import CARD, request

SCHEME = Dimension("scheme", Source.BIN, "/card/number")
ROUTE = replace(two_candidates(), dimensions=("scheme",), sources=(SCHEME,))
AMEX = "378282246310005"


def paid_by(number: str) -> Request:
    """A payment by the card of this number."""
    return request(body=json.dumps({"amount": 1, "card": {"number": number}}).encode())


async def test_a_scheme_that_is_out_goes_to_the_next_candidate_alone() -> None:
    """Its calls begin there, without an attempt at the first; the others stay where they are."""
    stack = AttemptStack(ROUTE, {"a": [OK] * 30, "b": [OK] * 30})
    for number in (CARD, AMEX):
        assert said(await stack.ask(paid_by(number)))[3] == "a"
    [visa] = [each for each in stack.guards.slices() if each.part == "scheme=visa"]
    visa.circuit.states.open("by a test", stack.clock.now())
    for number, upstream in ((CARD, "b"), (AMEX, "a")) * 5:
        assert said(await stack.ask(paid_by(number))) == (201, "answered", "done", upstream, "1")


async def test_a_scheme_that_fails_is_found_and_named_and_others_are_not() -> None:
    """By their calls alone; what is told holds no card number."""
    stack = AttemptStack(ROUTE, {"a": [OK] * 40 + [BROKEN, OK] * 20, "b": []})
    for _ in range(20):
        for number in (CARD, AMEX):
            await stack.ask(paid_by(number))
            stack.clock.advance(0.4)
    for _ in range(20):
        for number in (CARD, AMEX):
            await stack.ask(paid_by(number))
            stack.clock.advance(1.2)
        if any(isinstance(each, BreakerChanged) for each in stack.events):
            break
    states = {row["slice"]: row["state"] for row in stack.guards.report()}
    assert states["a · authorize · scheme=visa"] in ("degraded", "open")
    assert [name for name, state in states.items() if state != "closed"] == [
        "a · authorize · scheme=visa"
    ]
    assert CARD[:6] not in json.dumps(stack.guards.report())
