"""PURE. From a call to its key, the claim that it makes on it, and its hold on it."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.idempotency.keys import (
    derived_key,
    field_texts,
    fingerprint,
    partner_key,
    read_key,
    row_id,
)
from proxy.idempotency.links import of_request
from proxy.idempotency.record import Claim, Fence, Record, Scope, State
from proxy.model.call import Call, Ticket
from proxy.model.outcome import Refused
from proxy.model.route import Idempotency, KeyFrom, Route

_REFERENCE_MAX = 255

_MISSING = Refused("key_missing", 400, "This route needs an idempotency key.")
_MALFORMED = Refused("key_malformed", 400, "The idempotency key is empty, too long or malformed.")
_UNDERIVED = Refused(
    "key_underived", 400, "The fields that the idempotency key is made from are not all there."
)


def key_of(call: Call, rule: Idempotency, secret: bytes) -> str | Refused | None:
    """The key, why there is none that counts, or None where a call may go without."""
    given = [value for key, _, value in call.request.headers if key == rule.header]
    if given:
        key = read_key(given[0], rule.length_max) if len(given) == 1 else None
        return _MALFORMED if key is None else key
    if rule.key_from is KeyFrom.FIELDS:
        derived = derived_key(secret, call.request.body, rule.fields)
        return _UNDERIVED if derived is None else derived
    return _MISSING if rule.key_from is KeyFrom.REQUIRED else None


def claim_of(
    call: Call, rule: Idempotency, key: str, secret: bytes, owner: str, salt: int, send_by: float
) -> Claim:
    """The claim of this call on `key`; `owner` names this run of the sidecar, `salt` is random.

    With it comes the fence of the first attempt, which goes to the call's first
    candidate, and not after `send_by` (wall). A call that may go nowhere asks as well,
    without a fence: its answer may be stored, or it may be a repetition.
    """
    assert call.route is not None
    request = call.request
    tenant = rule.tenant
    if rule.tenant_header is not None:
        said = request.first(rule.tenant_header)
        tenant = said.decode("latin-1") if said is not None else tenant
    scope = Scope(tenant, rule.group, call.route.operation, key)
    known, row = call.route.keyed, row_id(scope)
    first = call.candidates[0].upstream if call.candidates else None
    return Claim(
        row,
        scope,
        fingerprint(secret, request.method, request.target, request.body, rule.volatile),
        owner,
        call.id,
        known.resend_s,
        _reference(known.references, request.body) if known.references else "",
        salt,
        known.after_absence,
        None
        if first is None
        else Fence(1, first.partner, first.name, partner_key(row, known.length_max), send_by),
        of_request(call, secret),
    )


def ticket_of(route: Route, row: Record, send_by: float, *, resend: bool) -> Ticket:
    """The hold on a key that is the caller's now, until `send_by` (monotonic) for its fence."""
    if resend:
        own_keys = next(
            each.own_keys for each in route.candidates if each.upstream.name == row.upstream
        )
        return Ticket(
            row.id, row.token, row.attempt, row.partner_key, resend, row.upstream,
            own_keys.conclusive,
        )  # fmt: skip
    fenced_for = row.upstream if row.state is State.SENDING else None
    key = row.partner_key or partner_key(row.id, route.keyed.length_max)
    return Ticket(
        row.id, row.token, row.attempt, key, resend, None, frozenset(), fenced_for is not None,
        fenced_for=fenced_for, send_by=send_by,
    )  # fmt: skip


def _reference(pointers: Sequence[str], body: bytes) -> str:
    """The application's own reference, where a candidate can be asked by it.

    None rather than a wrong one: a partner that is asked by another reference, or
    by a part of it, would truthfully deny what it has executed. Control characters and
    lone surrogates, which JSON can write, name no payment.
    """
    found = field_texts(body, pointers)
    if len(found) != len(pointers) or len(set(found)) != 1:
        return ""
    usable = len(found[0]) <= _REFERENCE_MAX and found[0].isprintable()
    return found[0] if usable else ""
