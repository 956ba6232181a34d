"""Settings of keys to the plain values that the journal's layers read."""

from __future__ import annotations

from proxy.model import route as model
from proxy.settings.journal import Idempotency
from proxy.settings.partner import Partner
from proxy.settings.schema import Route, Settings


def own_keys(partner: Partner) -> model.OwnKeys:
    """The partner's own idempotency, or none."""
    own = partner.idempotency
    if own is None:
        return model.OwnKeys()
    return model.OwnKeys(
        header=own.header.encode(),
        length_max=own.length_max,
        resend_s=max(0.0, own.window_s - own.margin_s),
        conclusive=frozenset(own.conclusive),
    )


def of_route(
    settings: Settings, route: Route, candidates: tuple[model.Candidate, ...]
) -> model.Idempotency | None:
    """How the route's calls are known again; not at all where nothing can move money.

    A route that says nothing about keys has optional ones as soon as there is a journal.
    """
    chosen = route.idempotency
    if settings.journal is None or (chosen is None and not _moves_money(candidates)):
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


def inquiry(partner: Partner, operation: str) -> model.Inquiry | None:
    """How this partner is asked about such a call, if it can be."""
    written = partner.inquiries.get(operation)
    if written is None:
        return None
    return model.Inquiry(
        reference=written.reference,
        target=written.target,
        found=written.found,
        none_values=frozenset(written.none_values),
        absent_statuses=frozenset(written.absent_statuses),
        absent_after_s=written.absent_after_s,
    )


def inquiries(settings: Settings) -> dict[tuple[str, str], model.Inquiry]:
    """All of them, by upstream and operation; none without a journal."""
    if settings.journal is None:
        return {}
    return {
        (upstream, operation): found
        for partner in settings.partners.values()
        for upstream in partner.upstreams
        for operation in partner.inquiries
        if (found := inquiry(partner, operation)) is not None
    }
