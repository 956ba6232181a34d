"""The layer that asks an upstream's circuit before each attempt, and tells it how that ended.

It stands below retry, so that each attempt is asked for, and above bulkhead and
fence, so that a refused attempt takes no place and writes nothing. A refusal has
execution none, and failover moves on:

    breaker_open       the upstream fails; the next probe is not due yet
    breaker_probing    as many probes as may be are out
    breaker_ramping    it is back, and a growing share of the calls is let through
    breaker_isolated   an operator holds it shut
    breaker_throttled  it is the last way out of this call, and not this call's turn

The last way out is a candidate that refuses where every later one would refuse as
well, and that is the best of those where this call has made no attempt yet. A
repetition of a call in doubt has one candidate, so it is always that.

An operation that belongs to an earlier payment, with candidates of several partners, is
never refused by what calls showed: failover would take it to a partner that has
never heard of that payment, and say so. Only an operator's isolation counts there.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from proxy.guard.last_way import Chance, LastWay, best
from proxy.guard.permit import Permit, Refusal
from proxy.guard.slices import Slice, Slices
from proxy.guard.verdicts import Verdict, partner_s, verdict
from proxy.model.call import Call
from proxy.model.outcome import Outcome, Refused
from proxy.model.route import Candidate, Route
from proxy.pipeline.layer import AttemptHandler, AttemptLayer

_GOOD = (Verdict.SUCCESS, Verdict.SLOW)


class Gate:
    """`layer` is the whole of it; `ways` has the throttle of each route, by name."""

    def __init__(
        self, slices: Slices, ways: Mapping[str, LastWay], now: Callable[[], float]
    ) -> None:
        self._slices = slices
        self._ways = ways
        self._now = now

    def layer(self) -> AttemptLayer:
        """The layer; where all is well it decides at once."""
        slices, now = self._slices, self._now

        def layer(inner: AttemptHandler) -> AttemptHandler:
            def handle(call: Call, candidate: Candidate) -> Awaitable[Outcome]:
                route = call.route
                assert route is not None
                at = slices.get((candidate.upstream.name, route.compartment))
                if at is None:
                    return inner(call, candidate)
                return guarded(call, candidate, route, at)

            async def guarded(call: Call, candidate: Candidate, route: Route, at: Slice) -> Outcome:
                permit = at.admit(call, now())
                if isinstance(permit, Refusal):
                    passed = self._in_spite(permit, call, candidate, route, at)
                    if isinstance(passed, Refused):
                        return passed
                    permit = passed
                elif permit.would_refuse is not None:
                    at.refuser.would_refuse += 1
                said, took_s, made = Verdict.NOTHING, 0.0, len(call.attempts)
                permit.watch(call.attempts)
                try:
                    outcome = await inner(call, candidate)
                    if len(call.attempts) > made:
                        took_s = partner_s(call.attempts[-1])
                        patience_s = _patience_s(route, candidate)
                        said = verdict(outcome, took_s, patience_s, at.circuit.slow_s)
                finally:
                    ended_at = now()
                    permit.end(said, took_s, ended_at)
                    if permit.forced and said is not Verdict.NOTHING:
                        self._ways[route.name].ended(said in _GOOD, ended_at)
                return outcome

            return handle

        return layer

    def _in_spite(
        self, refusal: Refusal, call: Call, candidate: Candidate, route: Route, at: Slice
    ) -> Permit | Refused:
        """A permit against the circuit's word, or the refusal."""
        now, by = self._now(), at.refuser
        if refusal.code == "isolated":
            return by.refuse(refusal)
        if not strays(call, route):
            if not self._is_last(call, candidate, route, now):
                return by.refuse(refusal)
            way = self._ways[route.name]
            if not way.admits(now):
                share = way.admitted_share(now)
                why = f"; no other way is left, and {share:.0%} of the calls are let through"
                return by.refuse(refusal, "breaker_throttled", why)
            by.throttled += 1
        permit = at.admit_anyway(call, now)
        return at.refuser.refuse(permit) if isinstance(permit, Refusal) else permit

    def _is_last(self, call: Call, candidate: Candidate, route: Route, now: float) -> bool:
        """Whether no candidate is left that would take the call, and none is better than this."""
        if call.ticket is not None and call.ticket.only_upstream is not None:
            return True
        chances: list[Chance] = []
        mine, passed = 0, False
        for each in call.candidates:
            at = self._slices.get((each.upstream.name, route.compartment))
            refusing = None if at is None else at.refusing(call, now)
            if each is candidate:
                mine, passed = len(chances), True
            elif refusing is None:
                if passed:
                    return False
                continue
            elif any(made.candidate is each for made in call.attempts):
                continue
            told = refusing or at
            assert told is not None
            chances.append(Chance(told.circuit.state, *told.circuit.tally(now)))
        return best(chances) == mine


def strays(call: Call, route: Route) -> bool:
    """Whether failover may take what belongs to an earlier payment to another partner.

    It may not where the call has been narrowed to the partner of its payment.
    """
    if not route.follows:
        return False
    candidates = call.candidates or route.candidates
    first = candidates[0].upstream.partner
    return any(each.upstream.partner != first for each in candidates)


def _patience_s(route: Route, candidate: Candidate) -> float:
    """What the partner is usually given; a best-effort budget is the caller's alone."""
    first_byte_s = candidate.timeouts.first_byte_s
    own = route.best_effort
    if own is not None and own.wait:
        return first_byte_s
    return min(route.deadline_s, first_byte_s)
