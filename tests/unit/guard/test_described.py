"""`proxy.guard.described`: a slice as a document."""

from __future__ import annotations

import json

from tests.support.values import candidate, route
from tests.unit.guard.slices import Slices

A, B = candidate("a"), candidate("b")


def test_a_report_is_a_document_with_the_state_and_its_figures() -> None:
    """Bounds and the next probe among them; it can be written as JSON."""
    house = Slices(route(A, B))
    house.trip("a")
    house.clock.advance(1.0)
    opened, well = house.made.report()
    assert json.loads(json.dumps(opened)) == opened
    assert (opened["state"], opened["for_s"], opened["share"]) == ("open", 1.0, 1.0)
    assert opened["share_low"] < opened["share"] <= opened["share_high"]
    assert opened["next_probe_s"] > 0.0
    assert opened["changes"]["open"] == 1
    assert (well["state"], well["why"], well["next_probe_s"]) == ("closed", "start", None)
    assert (well["calls"], well["p99_ms"]) == (0, None)
