"""Mistakes about affinity: names that nobody remembers, and places that no call has."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.affinity import Named
from proxy.model.route import KeyFrom
from proxy.settings.affinity import NAME, Follow, Place, Remember
from proxy.settings.finding import Finding
from proxy.settings.problems import suggest
from proxy.settings.schema import Route, Settings
from proxy.settings.tree import Loc


def check_affinity(settings: Settings) -> Iterator[Finding]:
    """Everything about affinity."""
    remembered = _remembered(settings)
    for index, route in enumerate(settings.routes):
        if route.affinity is None:
            continue
        place: Loc = ("routes", index, "affinity")
        if route.affinity.remember is None and route.affinity.follow is None:
            yield Finding(place, "says nothing", "add remember or follow, or remove it")
        if route.affinity.remember is not None:
            yield from _check_remember(place, route, route.affinity.remember, settings)
        if route.affinity.follow is not None:
            yield from _check_follow(place, route, route.affinity.follow, settings, remembered)


def _remembered(settings: Settings) -> set[tuple[str, str]]:
    """What some route remembers: group and kind of name."""
    found: set[tuple[str, str]] = set()
    for route in settings.routes:
        remember = None if route.affinity is None else route.affinity.remember
        if remember is not None:
            found |= {(remember.group, each) for each in Named if getattr(remember, each)}
    return found


def _check_remember(
    place: Loc, route: Route, remember: Remember, settings: Settings
) -> Iterator[Finding]:
    remember_at: Loc = (*place, "remember")
    if remember.reference is None and remember.payment is None:
        yield Finding(remember_at, "names nothing", "add reference or payment")
    keys = route.idempotency
    if settings.journal is None:
        yield _no_journal(remember_at)
    elif route.best_effort is not None or (keys is not None and keys.key_from is None):
        yield Finding(
            remember_at,
            "has no effect: calls of this route are in no journal",
            "let them have keys, or remove it",
            ((*place[:-1], "idempotency"), (*place[:-1], "best_effort")),
        )
    elif keys is None or keys.key_from is KeyFrom.OPTIONAL:
        yield Finding(
            remember_at,
            "remembers nothing of calls without an idempotency key",
            "write idempotency: {key: required}, or {key: fields} with fields",
            ((*place[:-1], "idempotency"),),
            is_warning=True,
        )


def _check_follow(
    place: Loc, route: Route, follow: Follow, settings: Settings, remembered: set[tuple[str, str]]
) -> Iterator[Finding]:
    at: Loc = (*place, "follow")
    if follow.payment is None and follow.reference is None:
        yield Finding(at, "does not say where a call names its payment", "add payment or reference")
    for named in Named:
        source: Place | None = getattr(follow, named)
        if source is None:
            continue
        yield from _check_path((*at, named.value), route, source)
        by_prefix = named is Named.PAYMENT and follow.prefixes
        if not by_prefix and settings.journal is None:
            yield _no_journal((*at, named.value))
        elif not by_prefix and (follow.group, named) not in remembered:
            yield Finding(
                (*at, named.value),
                "is looked up in a group where no route remembers it",
                f"add affinity.remember.{named.value} to the route that makes payments",
                (("routes",),),
            )
    yield from _check_prefixes(at, route, follow, settings)


def _check_path(place: Loc, route: Route, source: Place) -> Iterator[Finding]:
    segments = source.at.split("/")
    if source.kind != "path":
        return
    fixed = "/".join(segments[: segments.index(NAME)])
    if not f"{fixed}/".startswith(route.match.path.rstrip("/") + "/"):
        yield Finding(
            place,
            "is no path that this route takes",
            f"begin it with {route.match.path}, as the application sends it",
            ((*place[:2], "match", "path"),),
        )


def _check_prefixes(at: Loc, route: Route, follow: Follow, settings: Settings) -> Iterator[Finding]:
    if follow.prefixes and follow.payment is None:
        remedy = "add payment: where a call has the name that begins so"
        yield Finding((*at, "prefixes"), "has nothing to compare with", remedy)
    for begins, name in follow.prefixes.items():
        place: Loc = (*at, "prefixes", begins)
        partner = settings.partners.get(name)
        if partner is None:
            remedy = suggest(name, sorted(settings.partners))
            yield Finding(place, "is no partner of this file", remedy, (("partners",),))
        elif not any(each in partner.upstreams for each in route.candidates):
            candidates: Loc = (*at[:2], "candidates")
            remedy = "add one of its upstreams to them, or remove it"
            yield Finding(place, "is the partner of no candidate", remedy, (candidates,))


def _no_journal(place: Loc) -> Finding:
    return Finding(place, "needs a journal, and there is none", "add journal.path", (("journal",),))
