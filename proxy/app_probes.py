"""What joins operators' words, active checks and the standby's share to the breakers."""

from __future__ import annotations

from proxy.guard.guards import Guards
from proxy.model.standing import Override
from proxy.routing.overrides import Overrides


def hold_breakers(overrides: Overrides, guards: Guards) -> None:
    """An isolation that stands holds the upstream's breakers open."""

    def hold(upstream: str, standing: Override | None) -> None:
        if standing is None:
            guards.release(upstream)
        else:
            guards.isolate(upstream, standing.reason, standing.ends_at)

    overrides.hold, overrides.holds = hold, guards.knows
