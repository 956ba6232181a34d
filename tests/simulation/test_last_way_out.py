"""Two candidates, both dead by their guards: what is still tried, and how traffic returns.

The circuits and the throttle together, as failover asks them, on virtual time.
"""

from __future__ import annotations

import random

import pytest

from proxy.guard.circuit import Circuit
from proxy.guard.last_way import Chance, LastWay, best
from proxy.guard.permit import Permit
from proxy.guard.policy import Policy
from proxy.guard.verdicts import Verdict

DEAD_S, ALL_S = 120.0, 150.0


class _Route:
    """Asks each candidate's circuit in order, then the last way out."""

    def __init__(self) -> None:
        self.circuits = [Circuit(Policy(), random.Random(seed), 0.0) for seed in (1, 2)]
        self.last_way = LastWay(0.0)

    def call(self, now: float, verdict: Verdict) -> bool:
        """Whether the call was tried at all; every candidate answers alike, at once."""
        for circuit in self.circuits:
            asked = circuit.admit(now)
            if isinstance(asked, Permit):
                asked.end(verdict, 0.1, now)
                return True
        figures = [circuit.standing(now) for circuit in self.circuits]
        index = best(
            [Chance(each.state, each.figures.calls, each.figures.failures) for each in figures]
        )
        assert index is not None
        if not self.last_way.admits(now):
            return False
        asked = self.circuits[index].admit_anyway(now)
        assert isinstance(asked, Permit)
        asked.end(verdict, 0.1, now)
        self.last_way.ended(verdict is Verdict.SUCCESS, now)
        return True


@pytest.mark.parametrize("rate", [1.0, 5.0, 50.0])
def test_a_fifth_is_tried_and_all_of_it_five_seconds_after_the_first_success(rate: float) -> None:
    """In each ten seconds of the outage; and no call is lost once it is over for five."""
    route = _Route()
    tried: list[tuple[float, bool]] = []
    for index in range(int(ALL_S * rate)):
        now = index / rate
        verdict = Verdict.SUCCESS if now >= DEAD_S else Verdict.FAILURE
        tried.append((now, route.call(now, verdict)))
    for begin in range(0, int(DEAD_S), 10):
        part = [went for now, went in tried if begin <= now < begin + 10]
        assert sum(part) >= 0.2 * len(part)
    first = next(now for now, went in tried if now >= DEAD_S and went)
    assert all(went for now, went in tried if now >= first + 5.0)
