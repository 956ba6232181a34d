"""A house whose health is watched, on virtual time: tests say what ends how, and look."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from proxy.health.health import Health
from proxy.health.report import Reports
from proxy.model.call import Call
from proxy.model.events import AttemptEnded, CallEnded, IncidentChanged
from proxy.model.health import HealthLimits
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Candidate, Route
from tests.support.manual_clock import ManualClock
from tests.support.values import attempt, candidate, request, response, route

SLOW_S = 1.0


def ok(at: Candidate, status: int = 200) -> Outcome:
    """An answer."""
    upstream = at.upstream
    return Answered(upstream.partner, upstream.name, response(status), Execution.DONE)


def unsent(at: Candidate, phase: Phase, reason: str, origin: Origin = Origin.PARTNER) -> Outcome:
    """Nothing left."""
    return Unsent(at.upstream.partner, at.upstream.name, phase, reason, origin)


def in_doubt(at: Candidate, reason: str = "timeout") -> Outcome:
    """No answer came."""
    return InDoubt(at.upstream.partner, at.upstream.name, Phase.FIRST_BYTE, reason, Origin.PARTNER)


class Watched:
    """Partners by name, each with one upstream of the same name and a route of its own."""

    def __init__(
        self,
        *names: str,
        dimensions: tuple[str, ...] = ("scheme",),
        limits: HealthLimits | None = None,
    ) -> None:
        self.clock = ManualClock()
        self.at = {name: candidate(name, name) for name in names}
        self.routes: dict[str, Route] = {
            name: route(each, name=name, dimensions=dimensions) for name, each in self.at.items()
        }
        self.events: list[IncidentChanged] = []
        self.health = Health(
            self.clock, self.events.append, lambda *_: SLOW_S, self.routes.values(),
            limits or HealthLimits(silence=False),
        )  # fmt: skip
        self.reports = Reports(self.health, self.clock)

    def end(
        self, name: str, outcome: Outcome, *values: str, took_s: float = 0.05, **over: Any
    ) -> Call:
        """A call of one attempt ends so."""
        now, at = self.clock.now(), self.at[name]
        asked = request(arrived_at=now - took_s)
        made = Call(asked, "0" * 24, asked.arrived_at, {})
        made.route, made.candidates = self.routes[name], self.routes[name].candidates
        made.dimensions = values
        sent_at = 0.0 if isinstance(outcome, Unsent) else now - took_s
        record = attempt(at=at, outcome=outcome, begun_at=now - took_s, ended_at=now,
                         sent_at=sent_at, **over)  # fmt: skip
        made.attempts.append(record)
        self.health.event(AttemptEnded(made, record))
        self.health.event(CallEnded(made, outcome, now))
        return made

    def good(self, *names: str, value: str = "visa") -> None:
        """One good call each."""
        for name in names:
            self.end(name, ok(self.at[name]), value)

    def second(self) -> None:
        """A second passes, and is judged."""
        self.clock.advance(1.0)
        self.health.look()

    def seconds(self, count: int, good: Iterable[str] = ()) -> None:
        """So many, with two good calls of each of these in every one."""
        names = tuple(good)
        for _ in range(count):
            for value in ("visa", "amex"):
                self.good(*names, value=value)
            self.second()

    @property
    def named(self) -> list[tuple[Sequence[str], str, str, str]]:
        """Of each verdict: partners, slices, phase, origin."""
        return [
            (each.partners, "; ".join(place.slice for place in each.places), each.phase,
             each.origin.value)
            for each in self.health.verdicts
        ]  # fmt: skip
