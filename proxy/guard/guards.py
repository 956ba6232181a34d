"""All circuits: made at the start, looked at once a second, asked for each call's order.

There is one for each upstream and compartment (bulkheads.py) that a route names, and
beside it one for each value of a route's dimensions (family.py), made when it is seen
first; their number is bounded.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from proxy.guard.checked import Checked
from proxy.guard.circuit import Circuit
from proxy.guard.described import glance, row
from proxy.guard.family import Family, Member
from proxy.guard.gate import Gate
from proxy.guard.last_way import LastWay
from proxy.guard.order import Order
from proxy.guard.permit import Beside, Standing, State
from proxy.guard.policy import policy
from proxy.guard.slices import Slice
from proxy.model.breaker import BreakerMode
from proxy.model.dimension import VALUES_MAX
from proxy.model.events import BreakerChanged
from proxy.model.ordering import Condition
from proxy.model.route import Candidate, Route, Upstream
from proxy.pipeline.layer import AttemptLayer, Choice

_SPARED = (State.CLOSED, State.DEGRADED, State.OPEN, State.HALF_OPEN)
"""States in which a circuit in shadow mode changes no call's way."""


class Guards:
    """The circuits of a configuration; `now` is monotonic, `tell` hears of each change of state."""

    def __init__(
        self,
        routes: Iterable[Route],
        now: Callable[[], float],
        tell: Callable[[BreakerChanged], None],
        rng: random.Random | None = None,
        *,
        checked: bool = False,
    ) -> None:
        """`checked`: somebody makes the checks that breakers want, and says how they ended."""
        self._now = now
        self._checked = checked
        self._tell = tell
        self._rng = rng or random.Random()  # noqa: S311 - jitter
        self._all: dict[tuple[str, str], Slice] = {}
        self._unwell: set[Slice] = set()
        ways: dict[str, LastWay] = {}
        routes = tuple(routes)
        dimensions = _dimensions(routes)
        for route in routes:
            ways[route.name] = LastWay(now())
            for candidate in route.candidates:
                self._make(route.compartment, candidate, dimensions.get(route.compartment))
        self.checks = Checked(self._all, self.slices, now)
        """What checks of upstreams mean to these."""
        self._gate = Gate(self._all, ways, now)
        self._order = Order(self._all, self._unwell, self.checks.suspects, ways, now)

    def layer(self) -> AttemptLayer:
        """The gate in front of each attempt."""
        return self._gate.layer()

    def order(self, choice: Choice) -> Choice:
        """A choice with what is unwell behind what is well."""
        return self._order.over(choice)

    def of(self, upstream: str, compartment: str) -> Circuit:
        """One of them."""
        return self._all[upstream, compartment].circuit

    def condition(self, upstream: str, compartment: str) -> Condition | None:
        """What is known of the calls there; None where the breaker is off."""
        at = self._all.get((upstream, compartment))
        if at is None:
            return None
        figures = at.circuit.standing(self._now()).figures
        return Condition(figures.calls, figures.share_low, figures.p50_s)

    def knows(self, upstream: str) -> bool:
        """Whether it has a breaker at all."""
        return any(at.upstream == upstream for at in self._all.values())

    def isolate(self, upstream: str, reason: str, until: float) -> None:
        """Hold all of its breakers open until the monotonic instant, by an operator's word."""
        now = self._now()
        for at in self._of(upstream):
            at.circuit.isolate(reason, until, now)

    def release(self, upstream: str) -> None:
        """Let those go that are still held; traffic returns in a ramp."""
        now = self._now()
        for at in self._of(upstream):
            if at.circuit.state is State.ISOLATED:
                at.circuit.release("released by an operator", now)

    def _of(self, upstream: str) -> list[Slice]:
        """The broad ones: what they refuse, no narrow one lets through."""
        return [at for at in self._all.values() if at.upstream == upstream]

    def tick(self) -> None:
        """Once a second: a call that hangs is evidence before it ends."""
        now = self._now()
        for at in self._all.values():
            at.circuit.look(now)
            if at.family is not None:
                at.family.parts.look(now)
        self.checks.tick()

    def slices(self) -> list[Slice]:
        """All there are, in the order of the file, narrow ones behind their broad one."""
        found = []
        for at in self._all.values():
            found += [at] if at.family is None else [at, *at.family.parts.all()]
        return found

    def report(self) -> list[dict[str, Any]]:
        """All that can be seen of each."""
        now = self._now()
        return [row(each, now) for each in self.slices()]

    def metered(self) -> list[dict[str, Any]]:
        """The same without narrow slices that were never in trouble: there may be many."""
        now = self._now()
        return [row(each, now) for each in self.slices() if not each.part or each.changes]

    def places(self) -> list[tuple[str, str, str]]:
        """Partner, upstream and compartment of each broad one, in the order of the file."""
        return [(at.partner, at.upstream, at.compartment) for at in self._all.values()]

    def glance(self, upstream: str, compartment: str, part: str) -> dict[str, Any] | None:
        """A few members of one row of the report, found and made when it is asked for."""
        at = self._all.get((upstream, compartment))
        if at is not None and part:
            at = None if at.family is None else at.family.parts.named(part)
        return None if at is None else glance(at, self._now())

    def _make(
        self, compartment: str, candidate: Candidate, dimensions: Mapping[str, int] | None
    ) -> None:
        upstream = candidate.upstream
        key = (upstream.name, compartment)
        if key in self._all or upstream.breaker.mode is BreakerMode.OFF:
            return
        if dimensions is None:
            self._all[key] = self._slice(upstream, compartment)
            return
        family = Family(dimensions, lambda part: self._part(upstream, compartment, part, family))
        self._all[key] = self._slice(upstream, compartment, family)
        family.adopt(self._all[key])

    def _part(self, upstream: Upstream, compartment: str, part: str, family: Family) -> Slice:
        member = Member(family)
        member.at = self._slice(upstream, compartment, member, part)
        return member.at

    def _slice(
        self,
        upstream: Upstream,
        compartment: str,
        beside: Beside | None = None,
        part: str = "",
    ) -> Slice:
        """A slice whose changes are heard of from the first on."""
        at: Slice
        circuit = Circuit(
            policy(upstream.breaker, upstream.checks if self._checked else None),
            self._rng, self._now(),
            lambda standing: self._changed(at, standing), beside,
        )  # fmt: skip
        at = Slice(upstream.partner, upstream.name, compartment, circuit, part)
        return at

    def _changed(self, at: Slice, standing: Standing) -> None:
        was, state = at.state, standing.state
        at.state = state
        at.changes[state.value] = at.changes.get(state.value, 0) + 1
        if state is State.CLOSED or (standing.shadow and state in _SPARED):
            self._unwell.discard(at)
        else:
            self._unwell.add(at)
        figures, left_s = standing.figures, standing.next_probe_at
        self._tell(
            BreakerChanged(
                at.partner, at.upstream, at.compartment, was.value, state.value, standing.why,
                figures.calls, figures.failures, standing.shadow,
                None if left_s is None else left_s - self._now(), at.part,
            )
        )  # fmt: skip
        self._follow(at, standing)

    def _follow(self, at: Slice, standing: Standing) -> None:
        """What a change means to the slices beside it."""
        if at.part:
            family = self._all[at.upstream, at.compartment].family
            assert family is not None
            family.parts.changed(at, standing, self._now())
        elif at.family is not None:
            at.family.parts.broad_changed(standing, self._now())


def _dimensions(routes: Iterable[Route]) -> dict[str, dict[str, int]]:
    """By compartment, how many values of each dimension are kept apart."""
    found: dict[str, dict[str, int]] = {}
    for route in routes:
        bounds = {each.name: each.values_max for each in route.sources}
        for name in route.dimensions:
            known = found.setdefault(route.compartment, {})
            known[name] = max(known.get(name, 0), bounds.get(name, VALUES_MAX))
    return found
