"""Puts each route's candidates in the order that its configuration asks for.

It stands right above what operators say, and below the guards: what they find
unwell goes behind, whatever stood first. What an order by health goes by is looked
at now and then and not for each call; a call looks at what was made ready.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from proxy.model.call import Call
from proxy.model.ordering import Condition, Conditions, OrderMode
from proxy.model.pointer import name_at
from proxy.model.route import Candidate, KeyFrom, Route
from proxy.pipeline.layer import Choice
from proxy.routing.ordering import by_weight, cost_s, reviewed, shares

REVIEW_S = 30.0
"""An order by health stands so long at least."""
ELSEWHERE_ONE_IN = 10
"""One call in so many goes first to the others in turn, or nothing would be known of them."""
_ELSEWHERE = f"healthiest: one call in {ELSEWHERE_ONE_IN} is tried elsewhere first"


class ByHealth:
    """One route's order by health, and why it is that."""

    def __init__(self, route: Route) -> None:
        self._route = route
        self.order = tuple(range(len(route.candidates)))
        self.why = ""
        self._calls = 0

    def ordered(self, call: Call, candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
        """The order of this call."""
        self._calls += 1
        turn, elsewhere = divmod(self._calls, ELSEWHERE_ONE_IN)
        allowed = [self._route.candidates[index] for index in self.order]
        found = tuple(each for each in allowed if any(each is other for other in candidates))
        if elsewhere:
            call.why = self.why
            return found
        call.why = _ELSEWHERE
        first = 1 + turn % (len(found) - 1)
        return (found[first], *found[:first], *found[first + 1 :])

    def review(self, conditions: Conditions) -> None:
        """Look again."""
        known = [
            conditions(each.upstream.name, self._route.compartment)
            for each in self._route.candidates
        ]
        order = reviewed(self.order, [cost_s(each) for each in known])
        if order != self.order:
            self.order = order
            self.why = "" if order == tuple(sorted(order)) else self._because(known)

    def _because(self, known: Sequence[Condition | None]) -> str:
        told = (
            f"{self._route.candidates[index].upstream.name} {_figures(known[index])}"
            for index in self.order
        )
        return f"healthiest: {', '.join(told)}"


class Orderings:
    """The orders of all routes; `conditions` tells what is known of an upstream."""

    def __init__(
        self, routes: Iterable[Route], conditions: Conditions, now: Callable[[], float]
    ) -> None:
        self._conditions = conditions
        self._now = now
        self._review_at = now() + REVIEW_S
        chosen = [each for each in routes if each.ordering.mode is not OrderMode.LISTED]
        self._routes = {each.name: each for each in chosen}
        self._by_health = {
            each.name: ByHealth(each)
            for each in chosen
            if each.ordering.mode is OrderMode.HEALTHIEST
        }
        self._whys = {each.name: _weighted_whys(each) for each in chosen}

    def over(self, choice: Choice) -> Choice:
        """The choice, put in order; the choice itself where no route asks for another."""
        if not self._routes:
            return choice

        def ordered(call: Call) -> tuple[Candidate, ...]:
            candidates = choice(call)
            route = call.route
            assert route is not None
            if len(candidates) < 2 or route.name not in self._routes:
                return candidates
            by_health = self._by_health.get(route.name)
            if by_health is not None:
                return by_health.ordered(call, candidates)
            found = by_weight(candidates, route.ordering.weights, key_of(call, route))
            call.why = self._whys[route.name][found[0].upstream.name]
            return found

        return ordered

    def look(self) -> None:
        """Once a second; the figures are read every REVIEW_S."""
        if self._by_health and self._now() >= self._review_at:
            self._review_at = self._now() + REVIEW_S
            for each in self._by_health.values():
                each.review(self._conditions)

    def report(self) -> list[dict[str, Any]]:
        """Each route that does not go by the file: how, in which order now, and why."""
        return [self._row(route) for route in self._routes.values()]

    def _row(self, route: Route) -> dict[str, Any]:
        names = [each.upstream.name for each in route.candidates]
        by_health = self._by_health.get(route.name)
        if by_health is None:
            why = "; ".join(self._whys[route.name].values())
        else:
            names = [names[index] for index in by_health.order]
            why = by_health.why or "healthiest: nobody is clearly better than the file's order"
        return {"route": route.name, "order": route.ordering.mode.value, "now": names, "why": why}


def key_of(call: Call, route: Route) -> bytes:
    """What a repetition of the call has as well; of one without a key, its own id."""
    rule = route.idempotency
    if rule is not None:
        given = call.request.first(rule.header)
        if given is not None:
            return given
        if rule.key_from is KeyFrom.FIELDS:
            return "\n".join(name_at(call.request.body, each) for each in rule.fields).encode()
    return call.id.encode()


def _weighted_whys(route: Route) -> dict[str, str]:
    return {
        name: f"weighted: {name} is first for {share:.0%} of the keys"
        for name, share in shares(route).items()
    }


def _figures(known: Condition | None) -> str:
    if known is None or known.p50_s is None:
        return "(not known)"
    return f"({known.p50_s * 1000:.0f} ms, at least {known.failing_low:.1%} fail)"
