"""Mistakes in checks and standbys: what would move money, have no effect, or never be in time."""

from __future__ import annotations

from collections.abc import Iterator

from proxy.model.affinity import FOLLOWING
from proxy.model.checking import CheckKind
from proxy.model.ordering import OrderMode
from proxy.model.route import Money
from proxy.settings.defaults import MONEY
from proxy.settings.finding import Finding
from proxy.settings.partner import Partner
from proxy.settings.probing import Checks
from proxy.settings.schema import Route, Settings
from proxy.settings.tree import Loc

_SAFE = ("GET", "HEAD", "OPTIONS")


def check_probing(settings: Settings) -> Iterator[Finding]:
    """Everything about checks, and about routes' standbys."""
    unshared = _standbys(settings)
    for name, partner in settings.partners.items():
        for upstream, written in partner.upstreams.items():
            place: Loc = ("partners", name, "upstreams", upstream, "checks")
            if upstream in unshared and written.checks.kind is CheckKind.OFF:
                remedy = "let it be checked, or give it a share of calls: routes[].standby"
                yield Finding(
                    (*place, "kind"),
                    "leaves a standby that nothing proves: it is found dead when it is needed",
                    remedy,
                    see=(("routes", unshared[upstream], "candidates"),),
                    is_warning=True,
                )
            yield from _check_request(place, partner, written.checks)
            yield from _check_times(place, written.checks)
    for index, route in enumerate(settings.routes):
        yield from _check_standby(("routes", index), route)


def _standbys(settings: Settings) -> dict[str, int]:
    """Upstreams that stand behind others and get no share of calls, each with such a route."""
    found: dict[str, int] = {}
    shared = set[str]()
    for index, route in enumerate(settings.routes):
        for name in route.candidates[1:]:
            found.setdefault(name, index)
        share = route.standby is not None and route.standby.share > 0.0
        first = route.candidates[: None if share else 1]
        shared.update(first)
    return {name: index for name, index in found.items() if name not in shared}


def _check_request(place: Loc, partner: Partner, checks: Checks) -> Iterator[Finding]:
    asked = checks.request
    if asked is None:
        return
    kind: Loc = (*place, "kind")
    if checks.kind is not CheckKind.REQUEST:
        remedy = "write kind: request, or remove it"
        yield Finding((*place, "request"), "has no effect with this kind", remedy, (kind,))
    overrides = partner.operations.get(asked.operation)
    money = (overrides.money if overrides else None) or MONEY[asked.operation]
    by_method = money is Money.BY_METHOD and asked.method in ("GET", "HEAD")
    if asked.method not in _SAFE and money is not Money.NO and not by_method:
        yield Finding(
            (*place, "request", "method"),
            "may move money: checks are sent again and again",
            "use GET, HEAD or OPTIONS, or an operation that is declared money: false",
            ((*place, "request", "operation"),),
        )
    if not asked.expect:
        remedy = "name statuses that pass, such as [2xx, 404]"
        yield Finding((*place, "request", "expect"), "lets no answer pass", remedy)


def _check_times(place: Loc, checks: Checks) -> Iterator[Finding]:
    if checks.kind is CheckKind.OFF:
        return
    interval: Loc = (*place, "interval")
    if checks.timeout_s > checks.interval_s:
        remedy = "choose a shorter one, or raise interval"
        yield Finding((*place, "timeout"), "is more than interval", remedy, (interval,))
    if checks.proven_within_s < 2 * checks.interval_s:
        remedy = "choose at least twice the interval, or lower interval"
        yield Finding(
            (*place, "proven_within"), "ends before two checks can be made", remedy, (interval,)
        )


def _check_standby(place: Loc, route: Route) -> Iterator[Finding]:
    if route.standby is None:
        return
    here: Loc = (*place, "standby")
    if len(route.candidates) < 2:
        remedy = "add a second candidate, or remove it"
        rests: tuple[Loc, ...] = ((*place, "candidates"),)
        yield Finding(here, "has no effect with one candidate", remedy, rests)
    if route.order is not OrderMode.LISTED:
        order: Loc = (*place, "order")
        remedy = "remove it; weights say what the others get, and healthiest tries them"
        yield Finding(here, "goes with the order of the file alone", remedy, (order,))
    follows = route.affinity is not None and route.affinity.follow is not None
    if route.operation in FOLLOWING or follows:
        yield Finding(
            here,
            "has no effect: these calls belong to an earlier payment, and stay with it",
            "remove it",
            ((*place, "operation"),),
        )
