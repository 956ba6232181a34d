"""The circuit against generated histories: calls that end in any way, at any time, or never.

The model beside it knows three things: which permits are out, of which era each
is, and how long half-open may last. The wall clock that pybreaker reads is ours,
and jumps.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.guard.circuit import Circuit
from proxy.guard.permit import Permit, Standing, State
from proxy.guard.policy import Checks, Policy
from proxy.guard.verdicts import Verdict

_ENDINGS = st.sampled_from(list(Verdict))
_CLOSED = (State.CLOSED, State.DEGRADED)
_LOOKS_S = 0.25


class WallClock(datetime):
    """What pybreaker takes for the time of day."""

    at = datetime(2026, 1, 1, 12, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return cls.at


class CircuitMachine(RuleBasedStateMachine):
    """Rules that Hypothesis puts in any order; invariants after each of them."""

    @initialize(
        seed=st.integers(0, 1000), shadow=st.booleans(), checks=st.sampled_from(list(Checks))
    )
    def begin(self, seed: int, shadow: bool, checks: Checks) -> None:
        """A circuit, closed."""
        self.wall = patch("pybreaker.datetime", WallClock)
        self.wall.start()
        self.now = 100.0
        self.policy = Policy(shadow=shadow, checks=checks)
        self.changes: list[Standing] = []
        self.circuit = Circuit(self.policy, random.Random(seed), self.now, self.changes.append)
        self.out: list[Permit] = []
        self.probing_since: float | None = None

    def teardown(self) -> None:
        """Every permit ends; then as many probes fit as ever, and three good ones close it."""
        if not hasattr(self, "wall"):
            return
        self.wall.stop()
        while self.out:
            self.out.pop().end(Verdict.NOTHING, 0.0, self.now)
        self.circuit.release("the end of isolations", self.now)
        self.now += 2.0 * self.policy.open_max_s
        self._recovers()

    def _recovers(self) -> None:
        while self.circuit.state in _CLOSED:
            self.now += 5.0
            asked = self.circuit.admit(self.now)
            assert isinstance(asked, Permit)
            asked.end(Verdict.UNREACHABLE, 0.1, self.now)
        self.now += 2.0 * self.policy.open_max_s
        probes = [self.circuit.admit(self.now) for _ in range(10)]
        given = [each for each in probes if isinstance(each, Permit) and each.probe]
        assert len(given) == self.policy.probes_max
        for probe in given:
            probe.end(Verdict.NOTHING, 0.0, self.now)
        for _ in range(self.policy.successes_min):
            asked = self.circuit.admit(self.now)
            assert isinstance(asked, Permit)
            asked.end(Verdict.SUCCESS, 0.1, self.now)
        assert self.circuit.state is State.CLOSED
        self.now += self.policy.ramp_s + 1.0
        assert isinstance(self.circuit.admit(self.now), Permit)

    # -- what may happen ------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0.0, 0.05, 0.5, 1.0, 5.0, 30.0, 700.0)))
    def time_passes(self, seconds: float) -> None:
        """Monotonic time."""
        self.now += seconds

    @rule(hours=st.sampled_from((-2, 2)))
    def the_wall_clock_jumps(self, hours: int) -> None:
        """Nothing that the circuit says changes by it."""
        before = self.circuit.standing(self.now)
        WallClock.at = WallClock.at + timedelta(hours=hours)
        assert self.circuit.standing(self.now) == before

    @rule(count=st.integers(1, 8))
    def calls_come(self, count: int) -> None:
        """Some at once."""
        for _ in range(count):
            asked = self.circuit.admit(self.now)
            if isinstance(asked, Permit):
                self.out.append(asked)
            else:
                assert asked.code in ("open", "probing", "ramping", "isolated")
                assert asked.why
                assert asked.reason

    @rule()
    def one_is_forced(self) -> None:
        """The last way out takes it; an operator's word stands."""
        asked = self.circuit.admit_anyway(self.now)
        if isinstance(asked, Permit):
            self.out.append(asked)
        else:
            assert asked.code == "isolated"

    @precondition(lambda self: self.out)
    @rule(data=st.data(), verdict=_ENDINGS, took_s=st.floats(0.0, 90.0))
    def one_ends(self, data: st.DataObject, verdict: Verdict, took_s: float) -> None:
        """Any of those out, in any way; one of an earlier era changes nothing."""
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = self.circuit.standing(self.now)
        permit.end(verdict, took_s, self.now)
        after = self.circuit.standing(self.now)
        if permit.generation != before.generation:
            assert after == before
        if verdict is Verdict.NOTHING:
            assert (after.state, after.figures) == (before.state, before.figures)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), verdict=_ENDINGS)
    def one_ends_twice(self, data: st.DataObject, verdict: Verdict) -> None:
        """The second end is ignored."""
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        permit.end(Verdict.NOTHING, 0.0, self.now)
        before = self.circuit.standing(self.now)
        permit.end(verdict, 0.1, self.now)
        assert self.circuit.standing(self.now) == before

    @rule(verdict=_ENDINGS, count=st.integers(1, 12), every_s=st.sampled_from((0.0, 0.3, 1.0)))
    def a_run_of_calls(self, verdict: Verdict, count: int, every_s: float) -> None:
        """One after the other, all ending alike: what trips and what recovers."""
        for _ in range(count):
            asked = self.circuit.admit(self.now)
            if isinstance(asked, Permit):
                asked.end(verdict, 0.1, self.now)
            self.now += every_s
            self.is_bounded()

    @rule(why_failed=st.sampled_from((None, "refused")))
    def a_check_ends(self, why_failed: str | None) -> None:
        """Wanted or not: it opens nothing that was closed, and closes nothing."""
        before, wanted = self.circuit.standing(self.now), self.circuit.wants_check(self.now)
        self.circuit.checked(why_failed, self.now)
        after = self.circuit.standing(self.now)
        assert after.state is before.state
        assert (after.generation != before.generation) == (wanted and why_failed is not None)
        if wanted and why_failed is None:
            assert not after.awaits_check

    @precondition(lambda self: self.circuit.state is State.OPEN)
    @rule()
    def checks_go_on_failing(self) -> None:
        """In the end a call is let through all the same: the check may be what is wrong."""
        policy = self.policy
        until = self.now + policy.check_hold_max_s + 3.0 * policy.open_max_s
        while self.circuit.would_refuse(self.now) and self.circuit.state is State.OPEN:
            self.now += 1.0
            self.circuit.checked("refused", self.now)
            assert self.now < until
        if self.circuit.state is State.OPEN:
            asked = self.circuit.admit(self.now)
            assert isinstance(asked, Permit)
            self.out.append(asked)

    @rule(seconds=st.sampled_from((1.0, 600.0)))
    def an_operator_isolates(self, seconds: float) -> None:
        """For a time."""
        self.circuit.isolate("by a test", self.now + seconds, self.now)

    @rule()
    def an_operator_releases(self) -> None:
        """Whatever the state is."""
        self.circuit.release("by a test", self.now)

    # -- what must hold -------------------------------------------------------------------

    @invariant()
    def is_bounded(self) -> None:
        """Probes are a hard number, each is a permit out, and half-open ends."""
        if not hasattr(self, "wall"):
            return
        standing = self.circuit.standing(self.now)
        mine = [each for each in self.out if each.generation == standing.generation]
        assert standing.probes == sum(each.probe for each in mine) <= self.policy.probes_max
        if standing.state is not State.HALF_OPEN or not standing.probes:
            self.probing_since = None
        elif self.probing_since is None:
            self.probing_since = self.now
        else:
            assert self.now - self.probing_since <= self.policy.half_open_s + _LOOKS_S
        assert not standing.awaits_check or standing.state is State.OPEN
        low, high = standing.figures.share_low, standing.figures.share_high
        assert low - 1e-9 <= standing.figures.share <= high + 1e-9
        assert (standing.admitted_share == 0.0) == (standing.state not in _CLOSED)
        assert len(standing.why) < 300
