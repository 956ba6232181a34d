"""Mistakes about the order of candidates: weights without effect, health that nobody sees."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.breaker import BreakerMode
from proxy.model.ordering import OrderMode
from proxy.settings.finding import Finding
from proxy.settings.problems import suggest
from proxy.settings.schema import Route, Settings
from proxy.settings.tree import Loc


def check_order(settings: Settings) -> Iterator[Finding]:
    """Everything about the order of candidates."""
    for index, route in enumerate(settings.routes):
        place: Loc = ("routes", index)
        yield from _check_weights(place, route)
        if route.order is not OrderMode.LISTED and len(route.candidates) == 1:
            remedy = "add a candidate, or remove the key"
            yield Finding(
                (*place, "order"), "has one candidate to choose from", remedy,
                ((*place, "candidates"),), is_warning=True,
            )  # fmt: skip
        if route.order is OrderMode.HEALTHIEST:
            yield from _check_watched(place, route, settings)


def _check_weights(place: Loc, route: Route) -> Iterator[Finding]:
    at: Loc = (*place, "weights")
    if route.weights and route.order is not OrderMode.WEIGHTED:
        remedy = "write order: weighted, or remove them"
        yield Finding(at, "have no effect", remedy, ((*place, "order"),))
    for name in route.weights:
        if name not in route.candidates:
            remedy = suggest(name, route.candidates)
            candidates: Loc = (*place, "candidates")
            yield Finding((*at, name), "is no candidate of this route", remedy, (candidates,))
    if route.candidates and all(route.weights.get(each) == 0 for each in route.candidates):
        yield Finding(at, "are all 0", "give one candidate a weight of 1 or more")


def _check_watched(place: Loc, route: Route, settings: Settings) -> Iterator[Finding]:
    for number, name in enumerate(route.candidates):
        for partner_name, partner in settings.partners.items():
            upstream = partner.upstreams.get(name)
            if upstream is not None and upstream.breaker.mode is BreakerMode.OFF:
                mode: Loc = ("partners", partner_name, "upstreams", name, "breaker")
                yield Finding(
                    (*place, "candidates", number),
                    "has no breaker, so nothing is known of its health",
                    "let it have one: breaker: {mode: shadow} refuses nothing",
                    ((*place, "order"), mode),
                    is_warning=True,
                )
