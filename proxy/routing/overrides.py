"""What operators say about where calls go, in place of the file, for a while.

    force   new calls of a route go to one of its candidates and nowhere else
    drain   new payments go to an upstream no more
    isolate nothing goes to an upstream, whatever it belongs to: its breakers are held open

A drain counts for a force, too: a route forced to a drained upstream has no
candidate. It leaves alone the routes whose calls belong to a payment that was
made before (capture, refund, void, inquire, and all that follow one): that payment is there and
nowhere else, and an inquiry elsewhere would truthfully deny it, upon which the
application would pay again. A force names its route, so it is taken at its word.

An isolation is told to the breakers, which refuse; it spares nothing, not even the last
way out. So it is for an upstream that does harm, and a drain for one that is to rest.

Each ends by itself. The running time is monotonic, so that no jump of the wall
clock ends one early or keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.events import OverrideChanged
from proxy.model.route import Candidate, Route
from proxy.model.standing import Kind, Override

Hold = Callable[[str, Override | None], None]
"""Holds an upstream's breakers open while an override stands, or lets them go (None)."""

Tell = Callable[[OverrideChanged], None]


class Overrides:
    """What stands; `candidates` is asked for each call, so it looks at what was made ready."""

    def __init__(
        self, routes: Iterable[Route], upstreams: Mapping[str, object], clock: Clock, tell: Tell
    ) -> None:
        self.routes = {route.name: route for route in routes}
        self.upstreams = tuple(upstreams)
        self._clock = clock
        self._tell = tell
        self.hold: Hold = lambda _, __: None
        """Set by the composition root, before anything is said."""
        self.holds: Callable[[str], bool] = lambda _: True
        """Whether an upstream has a breaker that can be held."""
        self._standing: dict[tuple[Kind, str], Override] = {}
        self._differing: dict[str, tuple[Candidate, ...]] = {}
        """Routes whose calls do not go by the file, and where they go."""

    def candidates(self, call: Call) -> tuple[Candidate, ...]:
        """Where a new call may go, in order."""
        route = call.route
        assert route is not None
        if not self._differing:
            return route.candidates
        return self._differing.get(route.name, route.candidates)

    def chosen(self, route: Route) -> tuple[Candidate, ...]:
        """Where new calls of a route may go, in order."""
        return self._differing.get(route.name, route.candidates)

    def knows(self, wanted: Override) -> bool:
        """Whether its names are those of the configuration."""
        if wanted.kind is Kind.ISOLATE:
            return wanted.upstream in self.upstreams and self.holds(wanted.upstream)
        if wanted.kind is Kind.DRAIN:
            return wanted.upstream in self.upstreams
        route = self.routes.get(wanted.route)
        return route is not None and wanted.upstream in names(route.candidates)

    def add(self, wanted: Override, change: str = "set") -> None:
        """Let it stand, in place of one of the same kind and name."""
        self._standing[wanted.kind, wanted.name] = wanted
        self._ready()
        if wanted.kind is Kind.ISOLATE:
            self.hold(wanted.upstream, wanted)
        self.say(change, wanted)

    def release(self, kind: Kind, name: str) -> Override | None:
        """End one now; None where none stands."""
        found = self._standing.pop((kind, name), None)
        if found is not None:
            self._ready()
            if kind is Kind.ISOLATE:
                self.hold(name, None)
            self.say("released", found)
        return found

    def expire(self) -> bool:
        """End those whose time is over; whether there were any."""
        now = self._clock.now()
        over = [each for each in self._standing.values() if each.ends_at <= now]
        for each in over:
            del self._standing[each.kind, each.name]
        if over:
            self._ready()
        for each in over:
            self.say("expired", each)
        return bool(over)

    def drained(self, upstream: str) -> bool:
        """Whether new payments go there no more."""
        return (Kind.DRAIN, upstream) in self._standing

    def isolated(self, upstream: str) -> bool:
        """Whether nothing goes there."""
        return (Kind.ISOLATE, upstream) in self._standing

    def standing(self) -> list[Override]:
        """All of them, in the order in which they were set."""
        return sorted(self._standing.values(), key=lambda each: (each.since, each.name))

    def left_s(self, each: Override) -> float:
        """How long it stands on."""
        return max(0.0, each.ends_at - self._clock.now())

    def remaining(self) -> list[tuple[Override, float]]:
        """All of them, with how long each stands on."""
        return [(each, self.left_s(each)) for each in self.standing()]

    def nowhere(self) -> list[str]:
        """Routes whose new calls are refused."""
        return [
            name
            for name, route in self.routes.items()
            if all(self.isolated(each.upstream.name) for each in self.chosen(route))
        ]

    def _ready(self) -> None:
        self._differing = {
            name: chosen
            for name, route in self.routes.items()
            if (chosen := self._chosen(route)) != route.candidates
        }

    def _chosen(self, route: Route) -> tuple[Candidate, ...]:
        forced = self._standing.get((Kind.FORCE, route.name))
        spared = route.follows
        return tuple(
            each
            for each in route.candidates
            if (forced is None or each.upstream.name == forced.upstream)
            and (spared or not self.drained(each.upstream.name))
        )

    def say(self, change: str, each: Override) -> None:
        """Tell whoever listens what became of one."""
        self._tell(OverrideChanged(change, each, self.left_s(each)))


def names(candidates: Iterable[Candidate]) -> list[str]:
    """Of their upstreams, in order."""
    return [each.upstream.name for each in candidates]
