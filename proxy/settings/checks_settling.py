"""Mistakes about how calls in doubt are settled: modes without what they need."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from proxy.model.settling import SettleMode
from proxy.settings.checks_upstreams import check_headers
from proxy.settings.finding import Finding
from proxy.settings.headers import carries_credential
from proxy.settings.partner import OAuth2, Partner, Upstream
from proxy.settings.schema import Settings
from proxy.settings.tree import Loc

_NEEDS = {
    SettleMode.RESEND: "idempotency",
    SettleMode.INQUIRE: "inquiries",
    SettleMode.INQUIRE_THEN_RESEND: "inquiries",
    SettleMode.REVERSE: "reversals",
}
_REMEDIES = {
    "idempotency": "add idempotency, or choose another mode",
    "inquiries": "add inquiries.{}, or choose another mode",
    "reversals": "add reversals.{}, or choose another mode",
}


def check_settling(settings: Settings) -> Iterator[Finding]:
    """Modes, reversals and credentials of every partner, and what a route leaves out of them."""
    for name, partner in settings.partners.items():
        place: Loc = ("partners", name)
        for operation, mode in partner.settle.items():
            yield from _check_mode(place, partner, operation, mode)
        for operation, reversal in partner.reversals.items():
            if "{reference}" not in reversal.target + (reversal.body or ""):
                yield Finding(
                    (*place, "reversals", operation),
                    "does not say where the reference goes",
                    "put {reference} into target or body",
                )
        if partner.credentials is not None:
            here: Loc = (*place, "credentials")
            yield from check_headers((*here, "headers"), partner.credentials.headers)
            if partner.credentials.oauth2 is not None:
                yield from _check_oauth2((*here, "oauth2"), partner, partner.credentials.oauth2)
    yield from _check_volatile(settings)


def _check_mode(
    place: Loc, partner: Partner, operation: str, mode: SettleMode
) -> Iterator[Finding]:
    loc: Loc = (*place, "settle", operation)
    need = _NEEDS.get(mode)
    if need is None:
        return
    given = {
        "idempotency": partner.idempotency is not None,
        "inquiries": operation in partner.inquiries,
        "reversals": operation in partner.reversals,
    }
    if not given[need]:
        yield Finding(loc, f"needs {need}", _REMEDIES[need].format(operation), ((*place, need),))
    elif mode is not SettleMode.RESEND and not _has_credentials(partner):
        yield Finding(
            loc,
            "asks the partner, and has no credentials for it",
            "add credentials to the partner; credentials: {} says that it asks for none",
            ((*place, "credentials"), (*place, "upstreams")),
        )


def _has_credentials(partner: Partner) -> bool:
    """Its own, or what every upstream of it sends anyway."""
    return partner.credentials is not None or all(
        _sends_credentials(upstream) for upstream in partner.upstreams.values()
    )


def _sends_credentials(upstream: Upstream) -> bool:
    certificate = upstream.tls is not None and upstream.tls.client_certificate_file is not None
    return certificate or any(carries_credential(name) for name in upstream.headers.put)


def _check_oauth2(place: Loc, partner: Partner, oauth2: OAuth2) -> Iterator[Finding]:
    if oauth2.upstream not in partner.upstreams:
        yield Finding(
            (*place, "upstream"),
            "is not an upstream of this partner",
            f"known here: {', '.join(partner.upstreams)}",
            ((*place[:2], "upstreams"),),
        )
    if "client_secret" not in oauth2.masked:
        remedy = "refer to it: ${NAME} or ${file:/path}"
        loc: Loc = (*place, "client_secret")
        yield Finding(loc, "stands in the file itself", remedy, is_warning=True)


def _check_volatile(settings: Settings) -> Iterator[Finding]:
    """What a partner is asked by must not differ between two tries of one payment."""
    owners: dict[str, Partner] = {}
    for name, partner in settings.partners.items():
        owners |= dict.fromkeys(partner.upstreams, partner)
        asked = _references(partner, (*partner.inquiries, *partner.reversals))
        yield from _differing(("partners", name, "volatile"), partner.volatile, asked)
    for index, route in enumerate(settings.routes):
        partners = [owners[name] for name in route.candidates if name in owners]
        asked = set().union(*(_references(partner, (route.operation,)) for partner in partners))
        if route.idempotency is not None:
            place: Loc = ("routes", index, "idempotency", "volatile")
            yield from _differing(place, route.idempotency.volatile, asked)


def _references(partner: Partner, operations: Iterable[str]) -> set[str]:
    rules = (
        rules.get(operation)
        for operation in operations
        for rules in (partner.inquiries, partner.reversals)
    )
    return {rule.reference for rule in rules if rule is not None}


def _differing(place: Loc, volatile: Iterable[str], asked: set[str]) -> Iterator[Finding]:
    for at, pointer in enumerate(volatile):
        if pointer in asked:
            yield Finding(
                (*place, at),
                "is the reference that the partner is asked by",
                "remove it: two references are two payments to the partner",
            )
