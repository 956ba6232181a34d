"""A circuit on virtual time, and the calls that a test makes through it."""

from __future__ import annotations

import random
from typing import Any

from proxy.guard.circuit import Circuit
from proxy.guard.permit import Permit, Refusal, Standing, State
from proxy.guard.policy import Policy
from proxy.guard.verdicts import Verdict
from tests.support.manual_clock import ManualClock


class Guarded:
    """`call` makes one; `changes` are all that the circuit told."""

    def __init__(self, clock: ManualClock | None = None, **policy: Any) -> None:
        self.clock = clock or ManualClock()
        self.changes: list[Standing] = []
        self.policy = Policy(**{"jitter": 0.0, **policy})
        self.circuit = Circuit(self.policy, random.Random(1), self.clock.now(), self.changes.append)

    def state(self) -> State:
        """The state of this moment."""
        return self.circuit.state

    def permit(self) -> Permit:
        """Ask for a permit that has to be given."""
        asked = self.circuit.admit(self.clock.now())
        assert isinstance(asked, Permit), asked
        return asked

    def refusal(self) -> Refusal:
        """Ask for a permit that has to be refused."""
        asked = self.circuit.admit(self.clock.now())
        assert isinstance(asked, Refusal), asked
        return asked

    def end(self, permit: Permit, verdict: Verdict, took_s: float = 0.1) -> None:
        """End a permit now."""
        permit.end(verdict, took_s, self.clock.now())

    def calls(self, count: int, verdict: Verdict, every_s: float = 1.0) -> None:
        """Calls one after the other, each let through and ended at once."""
        for _ in range(count):
            self.end(self.permit(), verdict)
            self.clock.advance(every_s)

    def trip(self) -> None:
        """Let it open, by connection failures in a row."""
        self.calls(self.policy.unreachable_max, Verdict.UNREACHABLE)

    def half_open(self) -> Permit:
        """Let it open and wait; gives the first probe."""
        self.trip()
        self.clock.advance(self.policy.open_max_s)
        return self.permit()
