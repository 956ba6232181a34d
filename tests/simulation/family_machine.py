"""A broad breaker and those of its schemes against generated histories.

The model beside them knows the permits that are out. What must hold whatever comes: a
scheme's refusal is that scheme's own, an ending of a scheme that is apart counts in one
place, no permit is lost, and when all has ended the whole can be well again.
"""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from proxy.guard.permit import Permit, State
from proxy.guard.verdicts import Verdict
from tests.unit.guard.sliced import CURRENCY, SCHEME, A, Sliced, of, sliced

_SCHEMES = ("visa", "mastercard", "amex")
_CURRENCIES = ("eur", "usd")
_VALUES = st.tuples(st.sampled_from(_SCHEMES), st.sampled_from(_CURRENCIES))
_ENDINGS = st.sampled_from(list(Verdict))


class FamilyMachine(RuleBasedStateMachine):
    """Rules that Hypothesis puts in any order; invariants after each of them."""

    @initialize()
    def begin(self) -> None:
        """All closed."""
        self.house = Sliced(sliced(A, dimensions=(SCHEME, CURRENCY)))
        self.out: list[Permit] = []

    def teardown(self) -> None:
        """Every permit ends; then probes that succeed close whatever is open."""
        if not hasattr(self, "house"):
            return
        while self.out:
            self.out.pop().end(Verdict.NOTHING, 0.0, self.house.clock.now())
        for each in self.house.made.slices():
            assert each.circuit.standing(self.house.clock.now()).probes == 0
        for _ in range(40):
            self.house.clock.advance(20.0)
            for scheme in _SCHEMES:
                for currency in _CURRENCIES:
                    for _ in range(8):
                        self.house.one(Verdict.SUCCESS, scheme, currency)
        assert self.house.states() == {}

    # -- what may happen ------------------------------------------------------------------

    @rule(seconds=st.sampled_from((0.0, 0.05, 0.5, 1.0, 5.0, 30.0, 700.0)))
    def time_passes(self, seconds: float) -> None:
        """Monotonic time, and the look once a second."""
        self.house.clock.advance(seconds)
        self.house.made.tick()

    @rule(values=_VALUES, count=st.integers(1, 8))
    def calls_come(self, values: tuple[str, str], count: int) -> None:
        """Some at once; whoever refuses one has to do with it."""
        for _ in range(count):
            asked = self.house.ask(*values)
            if isinstance(asked, Permit):
                self.out.append(asked)
            else:
                mine = {"", f"scheme={values[0]}", f"currency={values[1]}"}
                assert self.house.at.refuser.part in mine
                assert self.house.at.refuser.circuit.state is not State.DEGRADED

    @rule(values=_VALUES)
    def one_is_forced(self, values: tuple[str, str]) -> None:
        """The last way out takes it."""
        asked = self.house.at.admit_anyway(of(self.house.taken, *values), self.house.clock.now())
        assert isinstance(asked, Permit)
        self.out.append(asked)

    @precondition(lambda self: self.out)
    @rule(data=st.data(), verdict=_ENDINGS, took_s=st.floats(0.0, 90.0), twice=st.booleans())
    def one_ends(self, data: st.DataObject, verdict: Verdict, took_s: float, twice: bool) -> None:
        """Any of those out, in any way; the second end is ignored."""
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = self.house.made.report()
        permit.end(verdict, took_s, self.house.clock.now())
        after = self.house.made.report()
        if verdict is Verdict.NOTHING:
            assert [row["state"] for row in before] == [row["state"] for row in after]
            assert [row["calls"] for row in before] == [row["calls"] for row in after]
        if twice:
            permit.end(Verdict.FAILURE, 0.1, self.house.clock.now())
            assert self.house.made.report() == after

    @rule(
        values=_VALUES, verdict=_ENDINGS, count=st.integers(1, 12),
        others=st.booleans(), every_s=st.sampled_from((0.0, 0.3, 1.0)),
    )  # fmt: skip
    def a_run_of_calls(
        self, values: tuple[str, str], verdict: Verdict, count: int, others: bool, every_s: float
    ) -> None:
        """One after the other, all ending alike; perhaps with good ones of others between."""
        for _ in range(count):
            self.house.one(verdict, *values)
            for scheme in _SCHEMES if others else ():
                if scheme != values[0]:
                    self.house.one(Verdict.SUCCESS, scheme, values[1])
            self.house.clock.advance(every_s)
            self.is_consistent()

    # -- what must hold -------------------------------------------------------------------

    @invariant()
    def is_consistent(self) -> None:
        """Probes are bounded and out; who is not well stands apart; nothing counts below zero."""
        if not hasattr(self, "house"):
            return
        family, now = self.house.at.family, self.house.clock.now()
        assert family is not None
        for each in self.house.made.slices():
            standing = each.circuit.standing(now)
            assert 0 <= standing.probes <= 2
            assert 0 <= standing.figures.failures <= standing.figures.calls
            if each.part and standing.state is not State.CLOSED:
                assert each in family.parts.apart
        if self.house.at.circuit.state is State.OPEN:
            opened_at = self.house.at.circuit.standing(now).since
            for each in family.parts.apart:
                standing = each.circuit.standing(now)
                assert standing.state is State.CLOSED or standing.since >= opened_at
