"""`proxy.routing.described`: documents of a stable form."""

from __future__ import annotations

from proxy.model.standing import Kind, Override
from proxy.routing.described import described, report
from proxy.routing.overrides import Overrides
from tests.support.manual_clock import ManualClock
from tests.support.values import candidate, route


def test_a_drain_belongs_to_no_route() -> None:
    """Its end is told by the wall clock as it is now."""
    drain = Override(Kind.DRAIN, "", "a", "why", "me", 10.0, 60.0, 1060.0)
    assert described(drain, 12.3456, 100.0) == {
        "kind": "drain", "route": None, "upstream": "a", "reason": "why", "by": "me",
        "since": 10.0, "until": 112.3456, "remaining_s": 12.346,
    }  # fmt: skip


def test_the_report_has_every_route_in_the_order_of_the_file() -> None:
    """Also those that go by it."""
    routes = [route(candidate("a"), name="z"), route(candidate("b"), name="y")]
    found = report(Overrides(routes, {}, ManualClock(), lambda _: None), 0.0)
    assert [each["route"] for each in found["routes"]] == ["z", "y"]
    assert (found["schema"], found["overrides"]) == (1, [])
