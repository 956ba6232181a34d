"""One upstream's compartment as a whole, and each value of its dimensions by itself.

Evidence is walked from the broad slice to the narrow ones, and the narrowest that
explains it is acted on (narrowing.py): where Visa alone fails, Visa's breaker trips,
and no other scheme notices; where all fail, the broad one trips, and not each of
them. Narrow are the values of each single dimension. Pairs of two would cost a
window for each pair, and be seen too rarely to prove anything.

What must stay true here:

- While all is well a call takes one permit, of the broad slice, and its ending is
  noted in the window of each part. A part that has begun anew since the permit was
  given learns nothing from it.
- Each ending counts in one place to act on: in the parts that are apart, or else in
  the broad slice and all parts. A call that could not connect is the exception:
  nobody could know its scheme yet, so it counts for the broad slice alone.
- When the broad slice opens, or closes again, its parts begin anew.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from proxy.guard.evidence import Finding
from proxy.guard.narrowing import Count
from proxy.guard.parts import Parts
from proxy.guard.permit import Permit, Refusal, State
from proxy.guard.slices import Slice
from proxy.guard.verdicts import Verdict
from proxy.model.call import Call

_SUCCESS, _SLOW, _NOTHING = Verdict.SUCCESS, Verdict.SLOW, Verdict.NOTHING
_UNREACHABLE, _OVERDUE = Verdict.UNREACHABLE, Verdict.OVERDUE
_SILENT = (_NOTHING, _UNREACHABLE)
"""Endings that say nothing about a narrow slice."""


class Family:
    """A broad slice and its `parts`; see `Parts` for what it is made of."""

    refuser: Slice
    """Who refused last."""

    def __init__(self, values_max: Mapping[str, int], make: Callable[[str], Slice]) -> None:
        self.parts = Parts(values_max, make)

    def adopt(self, broad: Slice) -> None:
        """Stand beside this one."""
        self.refuser = self.parts.broad = broad
        broad.family = self

    # -- what a call asks -------------------------------------------------------------------

    def admit(self, call: Call, now: float) -> Permit | Refusal:
        """A permit of the broad slice that knows the call's parts, or why there is none."""
        parts = self.parts
        if parts.apart:
            return self._admit_apart(call, now)
        permit = parts.broad.circuit.admit(now)
        if isinstance(permit, Permit):
            permit.parts, permit.era = parts.of(call), parts.era
        else:
            self.refuser = parts.broad
        return permit

    def admit_anyway(self, call: Call, now: float) -> Permit | Refusal:
        """A permit in spite of all circuits; an operator's word stands."""
        permit = self.parts.broad.circuit.admit_anyway(now)
        if isinstance(permit, Refusal):
            self.refuser = self.parts.broad
            return permit
        apart = self.parts.apart_of(call)
        asked = [each.circuit.admit_anyway(now) for each in apart]
        held = [each for each in asked if isinstance(each, Permit)]
        return self._known(permit, call, apart, held)

    def _admit_apart(self, call: Call, now: float) -> Permit | Refusal:
        apart = self.parts.apart_of(call)
        held: list[Permit] = []
        for each in (*apart, self.parts.broad):
            asked = each.circuit.admit(now)
            if isinstance(asked, Refusal):
                for permit in held:
                    permit.end(_NOTHING, 0.0, now)
                self.refuser = each
                return asked
            if asked.would_refuse is not None:
                self.refuser = each
            held.append(asked)
        return self._known(held.pop(), call, apart, held)

    def _known(
        self, permit: Permit, call: Call, apart: tuple[Slice, ...], held: list[Permit]
    ) -> Permit:
        permit.held, permit.era = tuple(held), self.parts.era
        permit.parts = tuple(each for each in self.parts.of(call) if each not in apart)
        for each in held:
            permit.would_refuse = permit.would_refuse or each.would_refuse
        return permit

    # -- what endings say -------------------------------------------------------------------

    def ended(self, permit: Permit, verdict: Verdict, took_s: float, now: float) -> None:
        """Take a permit back: it counts where it belongs."""
        broad = self.parts.broad.circuit
        well = not permit.held and not self.parts.apart and permit.era == self.parts.era
        if well and verdict is _SUCCESS:
            timed = not permit.overdue
            for part in permit.parts:
                part.circuit.window.note(_SUCCESS, took_s, now, timed=timed)
            broad.ended(permit, _SUCCESS, took_s, now)
            return
        for held in permit.held:
            held.end(_NOTHING if verdict is _UNREACHABLE else verdict, took_s, now)
        counts = verdict is _UNREACHABLE or self.counts(permit)
        parts = [] if verdict in _SILENT else self._learning(permit)
        for part in parts:
            timed = part not in permit.overdue_in
            part.circuit.window.note(_own(part, verdict, took_s), took_s, now, timed=timed)
        broad.ended(permit, verdict if counts else _NOTHING, took_s, now)
        for part in parts:
            _weigh(part, _own(part, verdict, took_s), now)

    def counts(self, permit: Permit) -> bool:
        """Whether an ending counts for the broad slice: not where it is explained already."""
        if permit.forced or not self.parts.broad.circuit.states.flows:
            return True
        apart = self.parts.apart
        return not permit.held and not any(each in apart for each in permit.parts)

    def overdue(self, permit: Permit, now: float) -> None:
        """A call hangs, for longer than is usual for the part as well."""
        since = now - permit.partner_since
        parts = tuple(each for each in self._learning(permit) if since >= each.circuit.slow_s)
        permit.overdue_in = parts
        for part in parts:
            part.circuit.window.note(_OVERDUE, 0.0, now)
        for part in parts:
            _weigh(part, _OVERDUE, now)

    def _learning(self, permit: Permit) -> list[Slice]:
        """Where an ending is noted: in parts that are apart, if there are any, else in all."""
        if not self.parts.broad.circuit.states.flows:
            return []
        known = [each for each in permit.parts if each.era <= permit.era]
        apart = [each for each in permit.parts if each in self.parts.apart]
        if permit.held or apart:
            return [each for each in known if each in apart]
        return known

    # -- whose finding it is ----------------------------------------------------------------

    def agrees(self, circuit: Any, found: Finding, now: float) -> bool:
        """Whether the broad slice is to act on its finding; else the parts that explain it do."""
        if found.to is State.CLOSED:
            return True
        explaining = self.parts.explaining(found, now)
        for part, count in explaining:
            part.circuit.states.act(_finding(found, count), now)
        return not explaining

    def agrees_to(self, part: Slice, found: Finding, now: float) -> bool:
        """Whether a part is to act on its finding: it explains what happens here."""
        if found.to is State.CLOSED or part in self.parts.apart:
            return True
        if not self.parts.broad.circuit.states.flows:
            return False
        return any(each is part for each, _ in self.parts.explaining(found, now))


class Member:
    """A part's place in its family, as its circuit sees it; `at` is set when there is one."""

    at: Slice

    def __init__(self, family: Family) -> None:
        self._family = family

    def ended(self, permit: Permit, verdict: Verdict, took_s: float, now: float) -> None:
        """Its own permits are its own matter."""
        self.at.circuit.ended(permit, verdict, took_s, now)

    def agrees(self, circuit: Any, found: Finding, now: float) -> bool:
        """Whether it explains what happens."""
        return self._family.agrees_to(self.at, found, now)

    def counts(self, permit: Permit) -> bool:
        """Always."""
        return True

    def overdue(self, permit: Permit, now: float) -> None:
        """It has no parts."""


def _weigh(part: Slice, verdict: Verdict, now: float) -> None:
    if part.circuit.states.held.state is State.CLOSED:
        part.circuit.weigh(verdict, now)


def _own(part: Slice, verdict: Verdict, took_s: float) -> Verdict:
    """A verdict as a part sees it: slow is what is slow by its own measure as well."""
    return _SUCCESS if verdict is _SLOW and took_s <= part.circuit.slow_s else verdict


def _finding(found: Finding, count: Count) -> Finding:
    """What was found, as a part's own: degraded first, and its next endings may open it."""
    calls, bad = count
    what = "were slow" if found.slow else "failed"
    why = f"{bad} of {calls} calls {what} in the last {found.seconds} s, and the rest did not"
    return Finding(State.DEGRADED, bad / calls, found.ordinary, why, found.seconds, slow=found.slow)
