"""Guards on virtual time, whose circuits a test opens by hand."""

from __future__ import annotations

import random

from proxy.guard.circuit import Circuit
from proxy.guard.guards import Guards
from proxy.guard.permit import Permit, State
from proxy.guard.verdicts import Verdict
from proxy.model.call import Attempt, Call
from proxy.model.events import BreakerChanged
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.route import Candidate, Route
from proxy.pipeline.layer import AttemptHandler
from tests.support.manual_clock import ManualClock
from tests.support.values import call, response

OK = Answered("acme", "a", response(), Execution.DONE)


class _Even(random.Random):
    """No jitter: always the middle."""

    def random(self) -> float:
        """One half."""
        return 0.5


class Slices:
    """`made` are the guards, `told` what they said; time stands still unless a test moves it."""

    def __init__(self, *routes: Route, checked: bool = False) -> None:
        self.clock = ManualClock()
        self.told: list[BreakerChanged] = []
        self.made = Guards(routes, self.clock.now, self.told.append, _Even(), checked=checked)

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


def ending(house: Slices, outcome: Outcome, takes_s: float = 0.1) -> AttemptHandler:
    """Attempts that end like this."""

    async def inner(asked: Call, at: Candidate) -> Outcome:
        now = house.clock.now()
        made = Attempt(number=1, candidate=at, begun_at=now, resolved_at=now, sent_at=now)
        house.clock.advance(takes_s)
        made.ended_at = house.clock.now()
        asked.attempts.append(made)
        return outcome

    return inner


async def ask(
    house: Slices, taken: Route, at: Candidate, outcome: Outcome = OK, takes_s: float = 0.1
) -> Outcome:
    """One attempt of a call of its own."""
    inner = ending(house, outcome, takes_s)
    return await house.made.layer()(inner)(call(taken=taken), at)
