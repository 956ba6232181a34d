"""Mistakes within and between routes: candidates, contradictions, routes that nothing reaches.

Which route takes a call is decided by `routing/table.py`: a named host before
any host, then the longest prefix, then the first in the file that has the
method. Only routes of equal host and prefix can therefore hide one another.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from proxy.settings.checks_upstreams import check_headers
from proxy.settings.finding import Finding
from proxy.settings.problems import suggest
from proxy.settings.schema import Route, Settings
from proxy.settings.tree import Loc

_ANY = ""


def check_routes(settings: Settings, upstreams: frozenset[str]) -> Iterator[Finding]:
    """Everything about routes; `upstreams` are the names that candidates may have."""
    if not settings.routes:
        yield Finding(("routes",), "has no route, so that every call is refused", "add a route")
    names: dict[str, int] = {}
    for index, route in enumerate(settings.routes):
        place: Loc = ("routes", index)
        first = names.setdefault(route.name, index)
        if first != index:
            other: Loc = ("routes", first, "name")
            remedy = "give each route a name of its own"
            yield Finding((*place, "name"), "is another route's name", remedy, see=(other,))
        yield from _check_candidates((*place, "candidates"), route, upstreams)
        yield from _check_contradictions(place, route)
        yield from _check_match((*place, "match"), route, settings)
        yield from check_headers((*place, "headers"), route.headers)
        yield from _check_partners(place, route, settings)
        yield from _check_timeouts(place, route)
    yield from _check_reach(settings)
    yield from _check_use(settings)


def _check_candidates(place: Loc, route: Route, upstreams: frozenset[str]) -> Iterator[Finding]:
    if not route.candidates:
        yield Finding(place, "has no candidate", "name one upstream or more")
    seen: set[str] = set()
    for index, name in enumerate(route.candidates):
        if name not in upstreams:
            remedy = suggest(name, sorted(upstreams))
            yield Finding((*place, index), "is no upstream of this file", remedy)
        elif name in seen:
            remedy = "remove it: more attempts at one upstream are retry.attempts_max"
            yield Finding((*place, index), "is listed already", remedy)
        seen.add(name)


def _check_contradictions(place: Loc, route: Route) -> Iterator[Finding]:
    if route.strip_prefix and route.replace_prefix is not None:
        remedy = "keep one of the two: replace_prefix takes the prefix off as well"
        strip: Loc = (*place, "strip_prefix")
        yield Finding((*place, "replace_prefix"), "contradicts strip_prefix", remedy, (strip,))
    if route.retry.backoff_base_s > route.retry.backoff_max_s:
        yield Finding(
            (*place, "retry", "backoff_base"),
            "is more than backoff_max",
            "choose a shorter one, or raise backoff_max",
            ((*place, "retry", "backoff_max"),),
        )


def _check_match(place: Loc, route: Route, settings: Settings) -> Iterator[Finding]:
    for name in ("host", "methods"):
        if name in route.match.model_fields_set and not getattr(route.match, name):
            remedy = "name one or more, or remove the key to match any"
            yield Finding((*place, name), "is an empty list", remedy)
    listen: Loc = ("listen", "methods")
    for index, method in enumerate(route.match.methods):
        if method not in settings.listen.methods:
            loc, remedy = (*place, "methods", index), "add it there, or remove it here"
            yield Finding(loc, "is a method that listen.methods refuses", remedy, (listen,))


def _check_partners(place: Loc, route: Route, settings: Settings) -> Iterator[Finding]:
    follows = route.affinity is not None and route.affinity.follow is not None
    if follows or route.operation not in ("capture", "refund", "void"):
        return
    partners = {
        name
        for name, partner in settings.partners.items()
        if any(candidate in partner.upstreams for candidate in route.candidates)
    }
    if len(partners) > 1:
        yield Finding(
            (*place, "candidates"),
            f"lets a {route.operation} move to a partner that did not authorise the payment",
            "keep the upstreams of one partner, or add affinity.follow",
            (("partners",), (*place, "operation")),
            is_warning=True,
        )


def _check_timeouts(place: Loc, route: Route) -> Iterator[Finding]:
    """Only timeouts that the route itself sets: those of an upstream serve other routes too."""
    for name, field in type(route.timeouts).model_fields.items():
        timeout_s = getattr(route.timeouts, name)
        if timeout_s is not None and timeout_s > route.deadline_s:
            yield Finding(
                (*place, "timeouts", str(field.alias)),
                "is longer than the deadline, which ends the attempt first",
                "shorten it, or raise the deadline",
                ((*place, "deadline"),),
                is_warning=True,
            )


def _check_reach(settings: Settings) -> Iterator[Finding]:
    by_prefix: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
    for index, route in enumerate(settings.routes):
        prefix = route.match.path.rstrip("/")
        hosts = route.match.host or (_ANY,)
        earlier = [by_prefix[host, prefix] for host in hosts]
        if all(_is_taken(route, rivals, settings) for rivals in earlier):
            yield _hidden(
                index, route, sorted({each for group in earlier for each in group}), settings
            )
            continue  # what hides this route hides whatever this one would hide
        for rivals in earlier:
            rivals.append(index)


def _is_taken(route: Route, rivals: list[int], settings: Settings) -> bool:
    """Whether rivals of one host and its prefix take every method that a route could take."""
    accepted = settings.listen.methods
    taken = (settings.routes[rival].match.methods or accepted for rival in rivals)
    return bool(rivals) and set(route.match.methods or accepted) <= set[str]().union(*taken)


def _hidden(index: int, route: Route, rivals: list[int], settings: Settings) -> Finding:
    place: Loc = ("routes", index, "match")
    see: tuple[Loc, ...] = tuple(("routes", rival, "match") for rival in rivals)
    listen: Loc = ("listen", "methods")
    if any(_calls(settings.routes[rival]) == _calls(route) for rival in rivals):
        message, remedy = "matches the same calls as a route before it", "change or remove one"
    else:
        message = "is never reached: routes before it take every call"
        remedy = "move it above them, name methods there, or remove it"
    return Finding(place, message, remedy, (listen,), see=see)


def _calls(route: Route) -> tuple[str, frozenset[str], frozenset[str]]:
    """What a route matches, however it is written."""
    match = route.match
    return match.path.rstrip("/"), frozenset(match.host), frozenset(match.methods)


def _check_use(settings: Settings) -> Iterator[Finding]:
    used = {name for route in settings.routes for name in route.candidates}
    for partner_name, partner in settings.partners.items():
        for name in partner.upstreams:
            if name not in used:
                place: Loc = ("partners", partner_name, "upstreams", name)
                remedy = "add it to a route's candidates, or remove it"
                yield Finding(
                    place, "is a candidate of no route", remedy, (("routes",),), is_warning=True
                )
