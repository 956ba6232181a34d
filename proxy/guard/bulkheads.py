"""All compartments, and the layer that leads each attempt through its own.

It stands below retry, so that a wait between two attempts holds no place, and
above the fence, so that a refused attempt writes nothing. An attempt whose caller
was answered in doubt has given its place back: what lingers has a bound of its
own (`pool.lingering_max`), and a scheme that hangs must not keep the others out.

The fence of a key's first attempt went with its claim, and names the instant
after which that attempt does not begin to send: its wait ends before that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from proxy.guard.bulkhead import Bulkhead
from proxy.guard.crowd import Crowd
from proxy.model.bulkhead import BulkheadLimits
from proxy.model.call import Call
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate, Route
from proxy.pipeline.layer import AttemptHandler, AttemptLayer


class Bulkheads:
    """One compartment for each upstream and operation that a route names, and one for each
    best-effort route's own at each of its upstreams; all made at the start.
    """

    def __init__(self, routes: Iterable[Route], now: Callable[[], float]) -> None:
        self._now = now
        self._all: dict[tuple[str, str], Bulkhead] = {}
        crowds: dict[str, Crowd] = {}
        for route in routes:
            for candidate in route.candidates:
                key = (candidate.upstream.name, route.compartment)
                if key not in self._all:
                    limits = _limits(route, candidate)
                    partner = candidate.upstream.partner
                    crowd = crowds.setdefault(candidate.upstream.name, Crowd())
                    self._all[key] = Bulkhead(partner, *key, limits, now, crowd)

    def layer(self) -> AttemptLayer:
        """The layer; where a place is free nothing waits."""
        compartments, now = self._all, self._now

        def layer(inner: AttemptHandler) -> AttemptHandler:
            async def handle(call: Call, candidate: Candidate) -> Outcome:
                route = call.route
                assert route is not None
                places = compartments[candidate.upstream.name, route.compartment]
                if not places.take(route.priority):
                    until = _wait_ends_at(call, candidate, now())
                    refused = await places.enter(route.priority, until, call.deadline_at)
                    if refused is not None:
                        return refused
                begun_at, outcome = now(), None
                try:
                    outcome = await inner(call, candidate)
                finally:
                    places.leave(begun_at, outcome)
                return outcome

            return handle

        return layer

    def of(self, upstream: str, compartment: str) -> Bulkhead:
        """One of them."""
        return self._all[upstream, compartment]

    def report(self) -> list[dict[str, Any]]:
        """The figures of each compartment, in the order of the file."""
        return [places.report() for places in self._all.values()]


def _limits(route: Route, candidate: Candidate) -> BulkheadLimits:
    own = route.best_effort
    limits = candidate.upstream.bulkhead
    if own is None:
        return limits
    return replace(limits, at_work_max=own.at_work_max, waiting_max=own.at_work_max)


def _wait_ends_at(call: Call, candidate: Candidate, now: float) -> float:
    """As long as a connection's turn may take; the deadline and a promise to the journal end it."""
    until = min(now + candidate.timeouts.queue_s, call.deadline_at)
    ticket = call.ticket
    if ticket is not None and ticket.fenced_for == candidate.upstream.name:
        until = min(until, ticket.send_by)
    return until
