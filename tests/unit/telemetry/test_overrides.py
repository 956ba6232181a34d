"""`proxy.telemetry.overrides`: what stands, for how long, and what became of orders."""

from __future__ import annotations

from proxy.model.events import OverrideChanged
from proxy.model.standing import Kind, Override
from proxy.telemetry.overrides import OverrideMetrics
from tests.support.prometheus import parse

FORCE = Override(Kind.FORCE, "charges", "b", "why", "me", 0.0, 60.0, 60.0)
DRAIN = Override(Kind.DRAIN, "", "a", "why", "me", 0.0, 60.0, 60.0)
STANDING = "tidegate_route_override"
CHANGES = "tidegate_route_override_changes_total"


def test_what_stands_has_its_seconds_left() -> None:
    """By route, upstream and kind; a drain has no route."""
    metrics = OverrideMetrics()
    metrics.standing = lambda: [(FORCE, 59.5), (DRAIN, 10.0)]
    metrics.kept = lambda: False
    found = parse("\n".join(metrics.render()) + "\n")
    assert found[STANDING].value(STANDING, route="charges", upstream="b", kind="force") == 59.5
    assert found[STANDING].value(STANDING, route="", upstream="a", kind="drain") == 10.0
    assert found[f"{STANDING}_kept"].value(f"{STANDING}_kept") == 0


def test_changes_are_counted_by_kind_and_by_what_happened() -> None:
    """So that one that came and went between two scrapes is seen."""
    metrics = OverrideMetrics()
    for change in ("set", "expired", "set"):
        metrics.changed(OverrideChanged(change, FORCE, 0.0))
    metrics.changed(OverrideChanged("set", DRAIN, 0.0))
    found = parse("\n".join(metrics.render()) + "\n")[CHANGES]
    assert found.value(CHANGES, kind="force", change="set") == 2
    assert found.value(CHANGES, kind="force", change="expired") == 1
    assert found.value(CHANGES, kind="drain", change="set") == 1
