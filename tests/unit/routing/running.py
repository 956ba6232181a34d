"""A run of what operators say, for tests: routes `charges` (a, b) and `refunds` (a)."""

from __future__ import annotations

from pathlib import Path

from proxy.model.events import OverrideChanged
from proxy.model.standing import Why
from proxy.routing.orders import Orders
from proxy.routing.overrides import Overrides, names
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, route

A, B = candidate("a"), candidate("b")
CHARGES = route(A, B)
REFUNDS = route(A, name="refunds", operation="refund")
HOUR = Why("maintenance", "ann", 3600.0)


class Run:
    """One run of a sidecar; another one with the same path is its restart."""

    def __init__(self, path: Path | None, clock: ManualClock | None = None) -> None:
        self.clock = clock or ManualClock()
        self.told: list[OverrideChanged] = []
        self.overrides = Overrides(
            [CHARGES, REFUNDS], {"a": A, "b": B}, self.clock, self.told.append
        )
        self.orders = Orders(self.overrides, path, self.clock)
        self.notes = self.orders.recall()

    def now(self) -> list[str]:
        """Where new calls of the route go."""
        return names(self.overrides.candidates(call(taken=CHARGES)))
