"""Mistakes about best effort: it must not meet money, nor what belongs to money."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.route import Money
from proxy.settings.bulkhead import Reply
from proxy.settings.defaults import MONEY
from proxy.settings.finding import Finding
from proxy.settings.partner import Partner
from proxy.settings.schema import Route, Settings
from proxy.settings.tree import Loc

_SAFE = frozenset(("GET", "HEAD"))
_BODILESS = (204, 205, 304)


def check_best_effort(settings: Settings) -> Iterator[Finding]:
    """Everything about best-effort routes."""
    paying = _paying(settings)
    for index, route in enumerate(settings.routes):
        if route.best_effort is not None:
            place: Loc = ("routes", index)
            yield from _check_money(place, route, settings)
            yield from _check_company(place, route, paying)
            yield from _check_contradictions(place, route)
            yield from _check_reply((*place, "best_effort", "reply"), route.best_effort.reply)


def _check_money(place: Loc, route: Route, settings: Settings) -> Iterator[Finding]:
    for name, partner in settings.partners.items():
        if _moves_money(route, partner, settings):
            yield Finding(
                (*place, "best_effort"),
                f"is on a route whose operation {route.operation} moves money at {name}",
                f"remove it, or declare partners.{name}.operations.{route.operation}.money: false "
                "if nothing is paid by such a call",
                ((*place, "operation"), (*place, "candidates"), (*place, "match"),
                 ("partners", name), ("listen", "methods")),
            )  # fmt: skip


def _moves_money(route: Route, partner: Partner, settings: Settings) -> bool:
    if not any(candidate in partner.upstreams for candidate in route.candidates):
        return False
    overrides = partner.operations.get(route.operation)
    money = (overrides and overrides.money) or MONEY[route.operation]
    if money is Money.BY_METHOD:
        return not _SAFE.issuperset(route.match.methods or settings.listen.methods)
    return money is Money.YES


def _paying(settings: Settings) -> dict[str, int]:
    """Upstreams that take money, each with a route that sends it there."""
    found: dict[str, int] = {}
    for index, route in enumerate(settings.routes):
        for partner in settings.partners.values():
            if route.best_effort is None and _moves_money(route, partner, settings):
                for name in set(route.candidates) & set(partner.upstreams):
                    found.setdefault(name, index)
    return found


def _check_company(place: Loc, route: Route, paying: dict[str, int]) -> Iterator[Finding]:
    for number, name in enumerate(route.candidates):
        if name in paying:
            yield Finding(
                (*place, "candidates", number),
                "takes payments too, so best effort and payments share its connections",
                "give it an upstream of its own with the same url",
                ((*place, "best_effort"), ("partners",)),
                is_warning=True,
                see=(("routes", paying[name]),),
            )


def _check_contradictions(place: Loc, route: Route) -> Iterator[Finding]:
    assert route.best_effort is not None
    effort: Loc = (*place, "best_effort")
    if route.idempotency is not None:
        remedy = "remove one of the two: nothing is remembered of such calls"
        yield Finding((*place, "idempotency"), "contradicts best_effort", remedy, (effort,))
    if route.priority is not None:
        remedy = "remove it: best effort is always refused first"
        yield Finding((*place, "priority"), "contradicts best_effort", remedy, (effort,))
    if "deadline_s" in route.model_fields_set and route.best_effort.wait:
        yield Finding(
            (*place, "deadline"),
            "has no effect: the budget ends the call",
            "remove it, or write best_effort.wait: false",
            (effort,),
            is_warning=True,
        )


def _check_reply(place: Loc, reply: Reply) -> Iterator[Finding]:
    if reply.status in _BODILESS and reply.body is not None:
        remedy = "remove it, or choose a status such as 200"
        status: Loc = (*place, "status")
        yield Finding((*place, "body"), "can't go with that status", remedy, (status,))
