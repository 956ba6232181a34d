"""In which order a call's candidates are tried: what is well before what is not.

It stands above the claim, whose fence names the first candidate, so that a call
that will go to the second one costs no fence for the first. A circuit that is
degraded is put behind those that are well, and one that would refuse behind these.
One whose probe is due keeps its place, or it would never be asked. An upstream whose
checks go on failing counts as degraded, unless its own calls of the last minute say better.
Where a value of a dimension is in trouble by itself, that counts for calls of that value alone.

One call in twenty keeps the order of the file, so that degraded can end. Operations
that belong to an earlier payment keep it always (see gate.py), and where an operator
has forced a route there is one candidate and nothing to order.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from proxy.guard.permit import State
from proxy.guard.slices import Slice, Slices
from proxy.model.call import Call
from proxy.model.route import Candidate
from proxy.pipeline.layer import Choice

STAYS_ONE_IN = 20
_WELL, _DEGRADED, _REFUSING = range(3)


class Order:
    """`unwell` has all slices that could change an order, `suspects` the keys of those whose
    upstream fails its checks (checked.py); both are mostly empty.
    """

    def __init__(
        self,
        slices: Slices,
        unwell: Collection[Slice],
        suspects: Collection[tuple[str, str]],
        routes: Iterable[str],
        now: Callable[[], float],
    ) -> None:
        self._slices = slices
        self._unwell = unwell
        self._suspects = suspects
        self._now = now
        self._moved = dict.fromkeys(routes, 0)
        """By route: calls whose order was changed, or would have been."""

    def over(self, choice: Choice) -> Choice:
        """The choice, put in order."""

        def ordered(call: Call) -> tuple[Candidate, ...]:
            candidates = choice(call)
            if not (self._unwell or self._suspects) or len(candidates) < 2:
                return candidates
            return self._ordered(call, candidates)

        return ordered

    def _ordered(self, call: Call, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        route = call.route
        assert route is not None
        if route.follows:
            return candidates
        now = self._now()
        ranks = [self._rank(each, route.compartment, call, now) for each in candidates]
        if ranks == sorted(ranks):
            return candidates
        self._moved[route.name] += 1
        if self._moved[route.name] % STAYS_ONE_IN == 0:
            return candidates
        order = sorted(range(len(ranks)), key=ranks.__getitem__)
        return tuple(candidates[index] for index in order)

    def _rank(self, candidate: Candidate, compartment: str, call: Call, now: float) -> int:
        key = (candidate.upstream.name, compartment)
        at = self._slices.get(key)
        least = _DEGRADED if key in self._suspects else _WELL
        if at is None:
            return least
        return max(least, *(self._rank_of(each, now) for each in at.concerned(call)))

    def _rank_of(self, at: Slice, now: float) -> int:
        if at not in self._unwell:
            return _WELL
        if at.circuit.state is State.DEGRADED:
            return _DEGRADED
        return _REFUSING if at.circuit.would_refuse(now) else _WELL
