"""A compartment against every order of events: no place is lost, and none is given twice."""

from __future__ import annotations

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from proxy.model.bulkhead import BulkheadLimits, Priority
from proxy.model.outcome import Outcome
from tests.simulation.crowd import ENDINGS, Crowd

STEPS = 100_000
DEADLINES_S = (0.01, 0.5, 3.0, 60.0)
NOW = st.sampled_from([True, True, False])
"""Whether everything that can happen happens before the next rule acts."""
INDEX = st.integers(0, 1000)


class BulkheadMachine(RuleBasedStateMachine):
    """Calls come, end and are cancelled, and time passes, in any order."""

    crowd: Crowd

    @initialize(at_work=st.integers(1, 4), waiting=st.integers(0, 4), adaptive=st.booleans())
    def begin(self, at_work: int, waiting: int, adaptive: bool) -> None:
        self.crowd = Crowd(BulkheadLimits(at_work, waiting, adaptive))

    def _rest(self, now: bool) -> None:
        if now:
            self.crowd.settle()
        else:
            self.crowd.tick()

    @rule(priority=st.sampled_from(Priority), deadline_s=st.sampled_from(DEADLINES_S), now=NOW)
    def come(self, priority: Priority, deadline_s: float, now: bool) -> None:
        self.crowd.come(priority, deadline_s)
        self._rest(now)

    @precondition(lambda self: self.crowd.inside)
    @rule(index=INDEX, ending=st.sampled_from(ENDINGS), now=NOW)
    def end(self, index: int, ending: Outcome | Exception, now: bool) -> None:
        self.crowd.end(index, ending)
        self._rest(now)

    @precondition(lambda self: self.crowd.tasks)
    @rule(index=INDEX, now=NOW)
    def cancel(self, index: int, now: bool) -> None:
        self.crowd.cancel(index)
        self._rest(now)

    @rule(seconds=st.sampled_from([0.001, 0.2, 1.0, 30.0]), now=NOW)
    def wait(self, seconds: float, now: bool) -> None:
        self.crowd.advance(seconds)
        self._rest(now)

    def teardown(self) -> None:
        if hasattr(self, "crowd"):
            self.crowd.go_home()


TestBulkheadMachine = BulkheadMachine.TestCase
TestBulkheadMachine.settings = settings(max_examples=60, stateful_step_count=50)


@pytest.mark.parametrize("adaptive", [False, True])
def test_no_place_is_lost_in_a_hundred_thousand_steps(adaptive: bool) -> None:
    """One long life with cancellation anywhere; in the end every place is free."""
    chance, crowd = random.Random(6), Crowd(BulkheadLimits(5, 5, adaptive))
    for _ in range(STEPS):
        act = chance.random()
        if act < 0.45:
            crowd.come(chance.choice(list(Priority)), chance.choice(DEADLINES_S))
        elif act < 0.75 and crowd.inside:
            crowd.end(chance.randrange(1000), chance.choice(ENDINGS))
        elif act < 0.9 and crowd.tasks:
            crowd.cancel(chance.randrange(1000))
        else:
            crowd.advance(chance.choice([0.001, 0.01, 0.3]))
        if chance.random() < 0.4:
            crowd.tick()
        else:
            crowd.settle()
    refused = crowd.places.refused
    crowd.go_home()
    assert min(refused.values()) > 100, "each way of being refused was met"
    assert sum(refused.values()) >= crowd.refused
