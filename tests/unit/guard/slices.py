"""Guards on virtual time, whose circuits a test opens by hand."""

from __future__ import annotations

from proxy.guard.circuit import Circuit
from proxy.guard.guards import Guards
from proxy.guard.permit import Permit, State
from proxy.guard.verdicts import Verdict
from proxy.model.events import BreakerChanged
from proxy.model.route import Route
from tests.support.manual_clock import ManualClock


class Slices:
    """`made` are the guards, `told` what they said; time stands still unless a test moves it."""

    def __init__(self, *routes: Route) -> None:
        self.clock = ManualClock()
        self.told: list[BreakerChanged] = []
        self.made = Guards(routes, self.clock.now, self.told.append)

    def trip(self, upstream: str, compartment: str = "authorize") -> Circuit:
        """Open one, by connection failures in a row, at this moment."""
        circuit = self.made.of(upstream, compartment)
        now = self.clock.now()
        for index in range(5):
            permit = circuit.admit(now - 4.0 + index)
            assert isinstance(permit, Permit)
            permit.end(Verdict.UNREACHABLE, 0.1, now - 4.0 + index)
        return circuit

    def degrade(self, upstream: str, compartment: str = "authorize") -> Circuit:
        """A third of its calls fails, for as long as it takes."""
        circuit = self.made.of(upstream, compartment)
        for index in range(200):
            permit = circuit.admit(self.clock.now())
            assert isinstance(permit, Permit)
            said = Verdict.SUCCESS if index % 3 else Verdict.FAILURE
            permit.end(said, 0.1, self.clock.now())
            if circuit.state is State.DEGRADED:
                return circuit
            self.clock.advance(0.2)
        raise AssertionError(circuit.standing(self.clock.now()))
