"""Walks the route's candidates in order, and moves on only where nothing can be lost by it."""

from __future__ import annotations

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.outcome import Outcome
from proxy.pipeline.layer import AttemptHandler, Handler
from proxy.routing.eligibility import may_try_again, more_telling


def failover(inner: AttemptHandler, clock: Clock) -> Handler:
    """The lowest handler that knows the call alone; below it each attempt has its candidate."""

    async def handle(call: Call) -> Outcome:
        assert call.route is not None
        method = call.request.method
        told: Outcome | None = None
        candidates = call.route.candidates
        if call.ticket is not None and call.ticket.only_upstream is not None:
            only = call.ticket.only_upstream
            candidates = tuple(each for each in candidates if each.upstream.name == only)
        for candidate in candidates:
            if told is not None and clock.now() >= call.deadline_at:
                break
            outcome = await inner(call, candidate)
            told = outcome if told is None else more_telling(told, outcome)
            if not may_try_again(outcome, candidate.rule, method):
                break
        assert told is not None, "a route has at least one candidate"
        return told

    return handle
