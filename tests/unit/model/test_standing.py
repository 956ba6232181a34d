"""`proxy.model.standing`: an order is known by the name that it is released by."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.standing import Kind, Override


def test_a_force_is_its_routes_and_a_drain_its_upstreams() -> None:
    """So there is one of each kind for a name."""
    force = Override(Kind.FORCE, "charges", "a", "why", "me", 0.0, 60.0, 60.0)
    assert force.name == "charges"
    assert replace(force, kind=Kind.DRAIN, route="").name == "a"
