"""Settings of keys to the plain values that the journal's layers read."""

from __future__ import annotations

from proxy.model import route as model
from proxy.model.settling import NO_RULE, Inquiry, OAuth2, Reversal, SettleMode, SettleRule
from proxy.settings.journal import Idempotency
from proxy.settings.kinds import OPERATIONS
from proxy.settings.partner import Partner
from proxy.settings.schema import Route, Settings

_RESENDS = (None, SettleMode.RESEND, SettleMode.INQUIRE_THEN_RESEND)
_INQUIRES = (None, SettleMode.INQUIRE, SettleMode.INQUIRE_THEN_RESEND)


def own_keys(partner: Partner, operation: str) -> model.OwnKeys:
    """The partner's own idempotency, or none."""
    own = partner.idempotency
    if own is None:
        return model.OwnKeys()
    resends = partner.settle.get(operation) in _RESENDS
    return model.OwnKeys(
        header=own.header.encode(),
        length_max=own.length_max,
        resend_s=max(0.0, own.window_s - own.margin_s) if resends else 0.0,
        conclusive=frozenset(own.conclusive),
    )


def of_route(
    settings: Settings, route: Route, candidates: tuple[model.Candidate, ...]
) -> model.Idempotency | None:
    """How the route's calls are known again; not at all where nothing can move money.

    A route that says nothing about keys has optional ones as soon as there is a journal;
    best effort never has any.
    """
    chosen = route.idempotency
    if settings.journal is None or route.best_effort is not None:
        return None
    if chosen is None and not _moves_money(candidates):
        return None
    rule = chosen if chosen is not None else Idempotency()
    if rule.key_from is None:
        return None
    partners = sorted({candidate.upstream.partner for candidate in candidates})
    return model.Idempotency(
        key_from=rule.key_from,
        header=rule.header.lower().encode(),
        length_max=rule.length_max,
        tenant=rule.tenant,
        tenant_header=rule.tenant_header.lower().encode() if rule.tenant_header else None,
        group=rule.group or "+".join(partners),
        fields=rule.fields,
        volatile=_volatile(settings, rule, partners),
        wait_s=rule.wait_s,
    )


def _volatile(settings: Settings, rule: Idempotency, partners: list[str]) -> tuple[str, ...]:
    """The route's own, else what every one of its partners lets differ."""
    if "volatile" in rule.model_fields_set:
        return rule.volatile
    first, *others = (settings.partners[name].volatile for name in partners)
    return tuple(each for each in first if all(each in other for other in others))


def _moves_money(candidates: tuple[model.Candidate, ...]) -> bool:
    return any(candidate.rule.money is not model.Money.NO for candidate in candidates)


def settle_rule(partner: Partner, operation: str) -> SettleRule:
    """What is done about such a call in doubt; without a mode whatever the partner allows."""
    mode = partner.settle.get(operation)
    return SettleRule(
        inquiry=_inquiry(partner, operation) if mode in _INQUIRES else None,
        reversal=_reversal(partner, operation) if mode is SettleMode.REVERSE else None,
        resend_when_absent=mode is SettleMode.INQUIRE_THEN_RESEND,
    )


def settle_rules(settings: Settings) -> dict[tuple[str, str], SettleRule]:
    """All of them, by upstream and operation; none without a journal."""
    if settings.journal is None:
        return {}
    return {
        (upstream, operation): settle_rule(partner, operation)
        for partner in settings.partners.values()
        for upstream in partner.upstreams
        for operation in OPERATIONS
        if settle_rule(partner, operation) != NO_RULE
    }


def _inquiry(partner: Partner, operation: str) -> Inquiry | None:
    written = partner.inquiries.get(operation)
    if written is None:
        return None
    return Inquiry(
        reference=written.reference,
        target=written.target,
        found=written.found,
        none_values=frozenset(written.none_values),
        absent_statuses=frozenset(written.absent_statuses),
        absent_after_s=written.absent_after_s,
    )


def _reversal(partner: Partner, operation: str) -> Reversal | None:
    written, own = partner.reversals.get(operation), own_keys(partner, operation)
    if written is None:
        return None
    return Reversal(
        reference=written.reference,
        method=written.method.encode(),
        target=written.target,
        body=written.body,
        done_statuses=frozenset(written.done_statuses),
        nothing_statuses=frozenset(written.nothing_statuses),
        after_s=written.after_s,
        absent_after_s=written.absent_after_s,
        key_header=own.header,
        key_length_max=own.length_max,
    )


def oauth2(partner: Partner) -> OAuth2 | None:
    """Where the token of its questions comes from, if they carry one."""
    written = None if partner.credentials is None else partner.credentials.oauth2
    if written is None:
        return None
    return OAuth2(
        upstream=written.upstream,
        target=written.target.encode(),
        client_id=written.client_id.reveal(),
        client_secret=written.client_secret.reveal(),
        scope=written.scope,
    )
