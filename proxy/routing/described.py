"""What stands about routes and upstreams, as documents of a stable form (schema 1)."""

from __future__ import annotations

from typing import Any

from proxy.model.standing import Override
from proxy.routing.overrides import Overrides, names


def described(each: Override, left_s: float, wall: float) -> dict[str, Any]:
    """One of them; instants are wall time, as it is now."""
    return {
        "kind": each.kind.value,
        "route": each.route or None,
        "upstream": each.upstream,
        "reason": each.reason,
        "by": each.by,
        "since": each.since,
        "until": wall + left_s,
        "remaining_s": round(left_s, 3),
    }


def report(overrides: Overrides, wall: float) -> dict[str, Any]:
    """Each route by the file and now, and every difference to the file."""
    routes = [
        {
            "route": route.name,
            "operation": route.operation,
            "candidates": names(route.candidates),
            "now": names(overrides.chosen(route)),
        }
        for route in overrides.routes.values()
    ]
    standing = [described(each, overrides.left_s(each), wall) for each in overrides.standing()]
    return {"schema": 1, "routes": routes, "overrides": standing}
