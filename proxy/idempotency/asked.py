"""PURE. From a call to the key that it carries, and to the claim that it makes."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.idempotency.keys import derived_key, field_texts, fingerprint, read_key, row_id
from proxy.idempotency.record import Claim, Scope
from proxy.model.call import Call
from proxy.model.outcome import Refused
from proxy.model.route import Idempotency, KeyFrom

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
    call: Call, rule: Idempotency, key: str, secret: bytes, owner: str, salt: int
) -> Claim:
    """The claim of this call on `key`; `owner` names this run of the sidecar, `salt` is random."""
    assert call.route is not None
    request = call.request
    tenant = rule.tenant
    if rule.tenant_header is not None:
        said = request.first(rule.tenant_header)
        tenant = said.decode("latin-1") if said is not None else tenant
    scope = Scope(tenant, rule.group, call.route.operation, key)
    known = call.route.keyed
    return Claim(
        row_id(scope),
        scope,
        fingerprint(secret, request.method, request.target, request.body, rule.volatile),
        owner,
        call.id,
        known.resend_s,
        _reference(known.references, request.body) if known.references else "",
        salt,
        known.after_absence,
    )


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
