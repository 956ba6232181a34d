"""Who has degraded: takes events, looks once a second, and keeps verdicts and incidents.

Everything here runs in the sink's batches and once a second, off the path of
calls. What it is told from elsewhere (names, payments in doubt, standbys) comes
as notices.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from proxy.health.evidence import Evidence, of_slice
from proxy.health.history import History
from proxy.health.incident import Bases
from proxy.health.incidents import Incidents
from proxy.health.phases import Phases
from proxy.health.silence import Silence
from proxy.health.slices import NO_IMPACT, Slice, Slices, SlowLimit, Tally
from proxy.health.symptom import Kind
from proxy.health.verdict import Place, Verdict, judge
from proxy.model.clock import Clock
from proxy.model.events import (
    AttemptEnded,
    BreakerChanged,
    CallEnded,
    Event,
    IncidentChanged,
    OverrideChanged,
)
from proxy.model.health import HealthLimits
from proxy.model.route import Route
from proxy.model.unsettled import Unsettled

_LATELY_S = 30.0
_USED_MIN = 3
"""Calls of a minute from which a partner counts among those that have a dimension value."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that is known without counting calls; `since` is monotonic seconds."""

    partner: str
    upstream: str
    phase: str
    reason: str
    origin: str
    since: float
    text: str
    operation: str = ""


class Health:
    """`event` takes what happens, `look` judges once a second. `tell` hears of incidents."""

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[IncidentChanged], None],
        slow_limit: SlowLimit,
        routes: Iterable[Route],
        limits: HealthLimits,
    ) -> None:
        self._clock = clock
        self.slices = Slices(clock, slow_limit)
        self.phases = Phases()
        self.history = History()
        self.incidents = Incidents(
            clock, tell, self._measure,
            close_after_s=limits.close_after_s, kept_max=limits.incidents_max,
        )  # fmt: skip
        self.silences: dict[str, Silence] = {}
        if limits.silence:
            self.silences = {
                route.name: Silence(limits.silence_period_s, limits.silence_calls_min)
                for route in routes
            }
        self.verdicts: list[Verdict] = []
        self._notices: dict[str, tuple[Notice, ...]] = {}

    # -- what happens ----------------------------------------------------------------

    def event(self, event: Event) -> None:
        """Take one event, whatever it is."""
        if isinstance(event, AttemptEnded):
            self.slices.attempt(event)
            self.phases.note(event.attempt)
        elif isinstance(event, CallEnded):
            self._called(event)
        else:
            self._changed(event)

    def _changed(self, event: Event) -> None:
        self.history.note(event, self._clock.wall())
        if isinstance(event, BreakerChanged):
            self.slices.breaker(event)
            shadow = " (shadow)" if event.shadow else ""
            words = f"breaker of {event.compartment} at {event.upstream}{shadow}: {event.reason}"
            self.incidents.happened(event.upstream, f"breaker {event.state}", words)
        elif isinstance(event, OverrideChanged):
            said = event.override
            words = f"{said.kind} of {said.name} to {said.upstream} by {said.by}: {said.reason}"
            self.incidents.happened("" if said.route else said.upstream, event.change, words)

    def notices(self, source: str, found: Iterable[Notice]) -> None:
        """All that one source knows now; what it named before and does not any more is over."""
        self._notices[source] = tuple(found)

    def names(self, found: Iterable[tuple[str, str, str, float]]) -> None:
        """The names in trouble: (partner, upstream, reason, since when, monotonic)."""
        text = "its last known addresses are used on"
        self.notices(
            "names",
            (Notice(partner, upstream, "resolve", reason, "dns", since, text)
             for partner, upstream, reason, since in found),
        )  # fmt: skip

    def in_doubt(self, found: Iterable[Unsettled]) -> None:
        """What is in doubt for too long."""
        now, wall = self._clock.now(), self._clock.wall()
        self.notices(
            "journal",
            (Notice(each.partner, each.upstream, "settle", "in_doubt_old", "partner",
                    now - (wall - each.oldest_at), f"{each.old} of them for too long",
                    each.operation)
             for each in found if each.state == "in_doubt" and each.old),
        )  # fmt: skip

    def _called(self, event: CallEnded) -> None:
        self.slices.call(event)
        route = event.call.route
        silence = None if route is None else self.silences.get(route.name)
        if silence is not None:
            silence.call(self._clock.wall())

    # -- once a second -----------------------------------------------------------------

    def look(self) -> None:
        """Judge; open, change and close incidents."""
        now = self._clock.now()
        self.slices.look()
        self.notices("silence", self._silences(now))
        found = [evidence(each, now) for notices in self._notices.values() for each in notices]
        for each in self.slices.all.values():
            if each.troubles:
                parts = () if each.value else self.slices.parts(each)
                found += of_slice(each, parts, now)
        reached, used = self._reached(), self._values_used(now) if found else {}
        self.verdicts = [
            replace(each, instead=self._instead(each, now))
            for each in judge(found, reached, used, now)
        ]
        self.incidents.look(self.verdicts)

    def _instead(self, verdict: Verdict, now: float) -> tuple[str, ...]:
        """Where calls went lately in place of what the verdict names."""
        names: dict[str, None] = {}
        for at in (at for place in verdict.places for at in self.slices_of(place)):
            _, before = at.stood_at(max(verdict.since, now - _LATELY_S))
            names |= {to: None for to, count in at.moved_to.items() if count > before.get(to, 0)}
        return tuple(names)

    def _silences(self, now: float) -> list[Notice]:
        wall, found = self._clock.wall(), []
        for route, silence in self.silences.items():
            silent = silence.look(wall)
            if silent is not None:
                since, usual_s = silent
                text = f"where {usual_s:.3g} s is the longest usual pause"
                found.append(Notice("application", f"route {route}", "arrival", "silence",
                                    "application", now - (wall - since), text))  # fmt: skip
        return found

    def _reached(self) -> Mapping[str, float]:
        reached: dict[str, float] = {}
        for each in self.slices.all.values():
            if each.value is None:
                reached[each.partner] = max(each.good_at, reached.get(each.partner, each.good_at))
        return reached

    def _values_used(self, now: float) -> dict[tuple[str, str], frozenset[str]]:
        used: dict[tuple[str, str], set[str]] = {}
        for each in self.slices.all.values():
            if each.value is not None and each.calls.total(int(now)) >= _USED_MIN:
                used.setdefault(each.value, set()).add(each.partner)
        return {value: frozenset(partners) for value, partners in used.items()}

    # -- impact --------------------------------------------------------------------------

    def _measure(self, verdict: Verdict, since: float, bases: Bases) -> Tally:
        total, moved_to = list(NO_IMPACT), dict[str, int]()
        for at in (at for place in verdict.places for at in self.slices_of(place)):
            key = (at.upstream, at.operation, at.value)
            base = bases.setdefault(key, at.stood_at(since))
            impact, moves = at.tally()
            total = [
                sum_ + now - was for sum_, now, was in zip(total, impact, base[0], strict=True)
            ]
            for upstream, count in moves.items():
                more = count - base[1].get(upstream, 0)
                if more > 0:
                    moved_to[upstream] = moved_to.get(upstream, 0) + more
        a, b, c, d, e, f = total
        return (a, b, c, d, e, f), moved_to

    def slices_of(self, place: Place) -> list[Slice]:
        """The slices that a place names."""
        values = set(place.values)
        return [
            each
            for each in self.slices.all.values()
            if each.upstream == place.upstream
            and place.operation in ("", each.operation)
            and (each.value in values if values else each.value is None)
        ]


def evidence(notice: Notice, now: float) -> Evidence:
    """A notice as a piece of evidence."""
    return Evidence(
        notice.partner, notice.upstream, notice.operation, None, notice.phase, Kind.FAILED,
        notice.reason, notice.origin, 0, 0, 0.0, notice.since, now, open=True,
        certain=notice.text,
    )  # fmt: skip
