"""The standby's share: a few new calls go to it first, so that it is known to take payments.

Of each route that asks for it, exactly that share in the long run, with no chance in
it; and where calls are so few that it would take too long, one every so often, though
never more than one of ten. A standby gets them only while it is well for them, and one that
cannot be reached costs its call no more than a connection: the call moves back.

Who was first by the file must be first by now: a call that was moved already, by an
operator, by health or by what it belongs to, is left alone. A repetition goes where
its first sending went, whatever the order says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from proxy.model.call import Call
from proxy.model.checking import Standby
from proxy.model.route import Candidate, Route
from proxy.pipeline.layer import Choice

CALLS_BETWEEN_MIN = 9

Well = Callable[[Candidate, Call], bool]


class _Share:
    """What one route's standbys were given."""

    __slots__ = ("between", "calls", "credit", "given_at")

    def __init__(self, names: Iterable[str], now: float) -> None:
        self.credit = 0.0
        self.between = 0
        """Calls since one was given."""
        self.calls = 0
        self.given_at = dict.fromkeys(names, now)

    def due(self, said: Standby, name: str, now: float) -> bool:
        """Whether this standby is to get the call."""
        if self.credit >= 1.0:
            return True
        late = now - self.given_at[name] >= said.every_s
        return late and self.between >= CALLS_BETWEEN_MIN

    def give(self, name: str, now: float) -> None:
        """It gets it."""
        self.credit = max(0.0, self.credit - 1.0)
        self.between = 0
        self.calls += 1
        self.given_at[name] = now


class Warm:
    """`well` says whether calls of a route may go to a candidate without need."""

    def __init__(self, routes: Iterable[Route], well: Well, now: Callable[[], float]) -> None:
        self._well = well
        self._now = now
        self._shares = {
            route.name: _Share((each.upstream.name for each in route.candidates), now())
            for route in routes
            if route.standby is not None and not route.follows
        }

    def over(self, choice: Choice) -> Choice:
        """The choice, with the standby in front where it is its turn."""
        if not self._shares:
            return choice

        def chosen(call: Call) -> tuple[Candidate, ...]:
            candidates, route = choice(call), call.route
            assert route is not None
            if route.standby is None or len(candidates) < 2:
                return candidates
            share = self._shares.get(route.name)
            if share is None or candidates[0] is not route.candidates[0]:
                return candidates
            return self._shared(call, route.standby, share, candidates)

        return chosen

    def _shared(
        self, call: Call, said: Standby, share: _Share, candidates: tuple[Candidate, ...]
    ) -> tuple[Candidate, ...]:
        now = self._now()
        share.credit = min(1.0, share.credit + said.share)
        behind = sorted(candidates[1:], key=lambda each: share.given_at[each.upstream.name])
        for each in behind:
            name = each.upstream.name
            if share.due(said, name, now) and self._well(each, call):
                share.give(name, now)
                return (each, *(other for other in candidates if other is not each))
        share.between += 1
        return candidates

    def report(self) -> list[dict[str, object]]:
        """How many calls each route's standbys were given first."""
        return [{"route": name, "calls": share.calls} for name, share in self._shares.items()]
