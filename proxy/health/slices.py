"""The evidence: what ended where, kept for each upstream, operation and dimension value.

An attempt is noted in the slice of its upstream and operation, and in one more
for each of its dimension values. Slices are made when they are first met and are
bounded in number; what comes beyond is noted in the broad slice alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from proxy.health.symptom import NOTHING, Kind, Symptom, symptom
from proxy.health.window import SPAN_S, Ring, Trouble
from proxy.model.call import Attempt, Call
from proxy.model.clock import Clock
from proxy.model.events import AttemptEnded, BreakerChanged, CallEnded
from proxy.model.outcome import Answered, InDoubt, Origin, Refused
from proxy.model.route import Money, Route

SLICES_MAX = 2000
Value = tuple[str, str]
"""A dimension's name and one value of it, such as scheme and visa."""
SliceKey = tuple[str, str, Value | None]
"""Upstream, operation, dimension value."""
SlowLimit = Callable[[str, str], float]
"""(upstream, compartment) -> seconds from which an answer is slow."""
Impact = tuple[int, int, int, int, int, int]
"""Calls failed, in doubt and moved; the same of those that move money."""
NO_IMPACT: Impact = (0, 0, 0, 0, 0, 0)
Tally = tuple[Impact, dict[str, int]]
"""Impact, and how many calls ended at which upstream instead."""
_FAILED, _IN_DOUBT, _MOVED = range(3)


@dataclass(slots=True)
class Slice:
    """The traffic of one upstream and operation, or of one dimension value there."""

    partner: str
    upstream: str
    operation: str
    value: Value | None
    calls: Ring
    troubles: dict[tuple[str, Kind], Trouble] = field(default_factory=dict)
    called_at: float = float("-inf")
    good_at: float = float("-inf")
    slow_s: float = float("inf")
    breaker: str = "closed"
    impact: list[int] = field(default_factory=lambda: [0] * 6)
    moved_to: dict[str, int] = field(default_factory=dict)
    """Upstreams that calls ended at instead."""
    stood: deque[tuple[float, Tally]] = field(default_factory=lambda: deque(maxlen=64))
    """How impact and moves stood at the seconds at which they changed."""

    def note(self, found: Symptom | None, now: float, *, fresh: bool) -> None:
        """One attempt more; `found` is not NOTHING."""
        self.calls.add(int(now))
        self.called_at = now
        if found is None:
            self.good_at = now
        elif (found.phase, found.kind) not in self.troubles:
            self.troubles[found.phase, found.kind] = Trouble(found.phase, found.kind, now)
        for trouble in self.troubles.values():
            trouble.calls += trouble.open
            if found is None:
                trouble.other(good=True)
            elif trouble.phase == found.phase and trouble.kind is found.kind:
                trouble.note(found, now, fresh=fresh)
            else:
                trouble.other(good=found.kind is Kind.SLOW)

    def tally(self) -> Tally:
        """Impact and moves, as they stand."""
        a, b, c, d, e, f = self.impact
        return (a, b, c, d, e, f), dict(self.moved_to)

    def stood_at(self, instant: float) -> Tally:
        """The same at an instant of the last minute."""
        before: Tally = (NO_IMPACT, {})
        for at, tally in self.stood:
            if at >= instant:
                break
            before = tally
        return before

    @property
    def is_held(self) -> bool:
        """Whether its breaker keeps calls away."""
        return self.breaker not in ("closed", "degraded")

    def look(self, now: float, *, held: bool) -> None:
        """Open and end troubles; remember the impact so far."""
        for trouble in self.troubles.values():
            if trouble.open or now - trouble.last_at <= SPAN_S:
                trouble.look(self.calls, self.called_at, now, held=held)
        if not self.stood or self.impact != list(self.stood[-1][1][0]):
            self.stood.append((now, self.tally()))


class Slices:
    """All slices of a sidecar. `slow_limit` is the guard's: there is one idea of slow."""

    def __init__(self, clock: Clock, slow_limit: SlowLimit, slices_max: int = SLICES_MAX) -> None:
        self._clock = clock
        self._slow_limit = slow_limit
        self._slices_max = slices_max
        self.all: dict[SliceKey, Slice] = {}
        self._tracked: dict[tuple[str, str], list[Slice]] = {}
        """By upstream and operation, the broad one first."""

    def attempt(self, event: AttemptEnded) -> None:
        """Note an attempt that ended."""
        call, attempt = event.call, event.attempt
        route = call.route
        if route is None or attempt.outcome is None:
            return
        at = self._at(attempt.candidate.upstream.partner, attempt.candidate.upstream.name, route)
        found = symptom(call.request.method, attempt, at.slow_s, _patience_s(route, attempt))
        if found is NOTHING:
            return
        now, fresh = attempt.ended_at or self._clock.now(), not attempt.reused
        at.note(found, now, fresh=fresh)
        for each in self._narrow(at, call, route):
            each.note(found, now, fresh=fresh)

    def call(self, event: CallEnded) -> None:
        """Note what a call that ended means for whoever made it."""
        call, outcome, route = event.call, event.outcome, event.call.route
        if route is None or outcome.upstream is None or outcome.partner is None:
            return
        if isinstance(outcome, Answered) and outcome.response.status < 500:
            if not outcome.replayed:
                self._moved(call, route, outcome.upstream)
            return
        where = self._at(outcome.partner, outcome.upstream, route)
        if isinstance(outcome, Refused) and outcome.origin is Origin.PROXY:
            self._refused(where, call, route, outcome.reason)
        kind = _IN_DOUBT if isinstance(outcome, InDoubt | Answered) else _FAILED
        for each in (where, *self._narrow(where, call, route)):
            _count(each, kind, money=_moves_money(call))

    def breaker(self, event: BreakerChanged) -> None:
        """Note a breaker's change of state."""
        state = "closed" if event.shadow else event.state
        for each in self._tracked.get((event.upstream, event.compartment), ()):
            if event.part == ("" if each.value is None else "=".join(each.value)):
                each.breaker = state

    def look(self) -> None:
        """Once a second: open and end what is wrong."""
        now = self._clock.now()
        for each in self.all.values():
            if each.value is None:
                each.slow_s = self._slow_limit(each.upstream, each.operation)
            broad = self._tracked[each.upstream, each.operation][0]
            each.look(now, held=each.is_held or broad.is_held)

    def parts(self, at: Slice) -> Iterator[Slice]:
        """The narrow slices of a broad one."""
        yield from self._tracked[at.upstream, at.operation][1:]

    def _refused(self, where: Slice, call: Call, route: Route, reason: str) -> None:
        """No place in our own bulkhead: that is known before there is an attempt."""
        found, now = Symptom("queue", Kind.FAILED, reason, "us"), self._clock.now()
        for each in (where, *self._narrow(where, call, route)):
            each.note(found, now, fresh=True)

    def _moved(self, call: Call, route: Route, to: str) -> None:
        left = {each.candidate.upstream.name: each.candidate for each in call.attempts}
        first = route.candidates[0]
        broad = self._tracked.get((first.upstream.name, route.compartment))
        if broad is not None and any(
            each.breaker != "closed" for each in (broad[0], *self._narrow(broad[0], call, route))
        ):
            left.setdefault(first.upstream.name, first)
        left.pop(to, None)
        for name, candidate in left.items():
            where = self._at(candidate.upstream.partner, name, route)
            for each in (where, *self._narrow(where, call, route)):
                _count(each, _MOVED, money=_moves_money(call))
                each.moved_to[to] = each.moved_to.get(to, 0) + 1

    def _at(self, partner: str, upstream: str, route: Route) -> Slice:
        found = self._tracked.get((upstream, route.compartment))
        if found is not None:
            return found[0]
        return self._make(partner, upstream, route.compartment, None)

    def _narrow(self, broad: Slice, call: Call, route: Route) -> Iterator[Slice]:
        for value in zip(route.dimensions, call.dimensions, strict=False):
            at = self.all.get((broad.upstream, broad.operation, value))
            if at is None and len(self.all) < self._slices_max:
                at = self._make(broad.partner, broad.upstream, broad.operation, value)
            if at is not None:
                yield at

    def _make(self, partner: str, upstream: str, operation: str, value: Value | None) -> Slice:
        made = Slice(partner, upstream, operation, value, Ring(int(self._clock.now())))
        if value is None:
            made.slow_s = self._slow_limit(upstream, operation)
        self.all[upstream, operation, value] = made
        self._tracked.setdefault((upstream, operation), []).append(made)
        return made


def _count(at: Slice, kind: int, *, money: bool) -> None:
    at.impact[kind] += 1
    at.impact[kind + 3] += money


def _moves_money(call: Call) -> bool:
    if not call.candidates:
        return False
    rule = call.candidates[0].rule
    if rule.money is Money.BY_METHOD:
        return call.request.method not in (b"GET", b"HEAD")
    return rule.money is Money.YES


def _patience_s(route: Route, attempt: Attempt) -> float:
    first_byte_s = attempt.candidate.timeouts.first_byte_s
    if route.best_effort is not None and route.best_effort.wait:
        return first_byte_s
    return min(route.deadline_s, first_byte_s)


def totals(each: Slice, now: float, seconds: int = SPAN_S) -> Mapping[str, int]:
    """Calls of the last seconds, and those of them that failed or were slow."""
    second = int(now)
    bad = slow = 0
    for trouble in each.troubles.values():
        count = trouble.ring.total(second, seconds)
        if trouble.kind is Kind.SLOW:
            slow += count
        else:
            bad += count
    return {"calls": each.calls.total(second, seconds), "failed": bad, "slow": slow}
