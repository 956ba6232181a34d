"""Rules for which key a call carries, and what it claims with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.asked import claim_of, key_of
from proxy.model.call import Call
from proxy.model.outcome import Refused
from proxy.model.route import Idempotency, KeyFrom, OwnKeys
from proxy.model.settling import SettleRule
from tests.support.values import call, candidate, headers, request, route
from tests.unit.idempotency.values import INQUIRY, KEYED, REVERSAL

SECRET = b"s" * 32
FIELDS = replace(KEYED, key_from=KeyFrom.FIELDS, fields=("/reference", "/amount"))
REQUIRED = replace(KEYED, key_from=KeyFrom.REQUIRED)
BODY = b'{"reference": "r1", "amount": 1}'


def asked(*fields: tuple[str, str], body: bytes = BODY) -> Call:
    """A call with these headers."""
    return call(request(fields=headers(*fields), body=body))


@pytest.mark.parametrize(
    ("rule", "fields", "key"),
    [
        (KEYED, [("Idempotency-Key", "k1")], "k1"),
        (REQUIRED, [("idempotency-key", '"k1"')], "k1"),
        (FIELDS, [("Idempotency-Key", "k1")], "k1"),
        (replace(KEYED, header=b"x-key"), [("X-Key", "k2"), ("Idempotency-Key", "k1")], "k2"),
        (KEYED, [], None),
        (REQUIRED, [], "key_missing"),
        (KEYED, [("Idempotency-Key", "a b")], "key_malformed"),
        (KEYED, [("Idempotency-Key", "k" * 65)], "key_malformed"),
        (KEYED, [("Idempotency-Key", "k1"), ("idempotency-key", "k1")], "key_malformed"),
        (FIELDS, [("Idempotency-Key", "")], "key_malformed"),
    ],
)
def test_which_key_it_is(rule: Idempotency, fields: list[tuple[str, str]], key: str | None) -> None:
    """From the header if it is there; a key that is wrong is refused, never passed over."""
    found = key_of(asked(*fields), rule, SECRET)
    assert (found.reason if isinstance(found, Refused) else found) == key
    assert not isinstance(found, Refused) or found.status == 400


def test_a_key_from_fields() -> None:
    """The same for the same payment, and refused where a field is missing."""
    first = key_of(asked(), FIELDS, SECRET)
    assert isinstance(first, str)
    assert key_of(asked(), FIELDS, SECRET) == first
    lacking = key_of(asked(body=b'{"reference": "r1"}'), FIELDS, SECRET)
    assert isinstance(lacking, Refused)
    assert lacking.reason == "key_underived"


def test_what_a_call_claims() -> None:
    """Tenant, group, operation and key; where a repetition is safe; the application's reference."""
    own = OwnKeys(b"Idempotency-Key", 64, 3600.0)
    taken = route(
        replace(candidate("a"), own_keys=own), replace(candidate("b"), settle=SettleRule(INQUIRY))
    )
    made = call(request(body=BODY, fields=headers(("X-Shop", "shop-1"))), taken)
    claim = claim_of(made, KEYED, "k1", SECRET, "owner", 7)
    assert (claim.scope.tenant, claim.scope.group) == ("default", "acme")
    assert (claim.scope.operation, claim.scope.key) == ("authorize", "k1")
    assert (claim.owner, claim.call, claim.salt) == ("owner", made.id, 7)
    assert claim.resend_s == {"a": 3600.0, "b": 0.0}
    assert claim.reference == "r1"
    by_header = replace(KEYED, tenant_header=b"x-shop")
    assert claim_of(made, by_header, "k1", SECRET, "owner", 7).scope.tenant == "shop-1"
    assert claim_of(asked(), by_header, "k1", SECRET, "owner", 7).scope.tenant == "default"
    assert claim_of(asked(), KEYED, "k1", SECRET, "owner", 7).reference == ""


def test_a_reference_that_is_too_long_is_none() -> None:
    """Asked by a part of it, the partner would deny what it has executed."""
    taken = route(replace(candidate("a"), settle=SettleRule(INQUIRY)))
    made = call(request(body=b'{"reference": "%b"}' % (b"r" * 1000)), taken)
    assert claim_of(made, KEYED, "k1", SECRET, "owner", 0).reference == ""


@pytest.mark.parametrize(
    ("body", "reference"),
    [
        (b'{"reference": "r1", "order": "r1"}', "r1"),
        (b'{"reference": "r1", "order": "o1"}', ""),
        (b'{"reference": "r1"}', ""),
        (b'{"order": "r1"}', ""),
    ],
)
def test_partners_that_would_be_asked_differently_are_not_asked(
    body: bytes, reference: str
) -> None:
    """Nobody knows yet at which one the call will be in doubt, and a wrong reference is absent."""
    other = replace(REVERSAL, reference="/order")
    taken = route(
        replace(candidate("a"), settle=SettleRule(INQUIRY)),
        replace(candidate("b"), settle=SettleRule(reversal=other)),
        candidate("c"),
    )
    assert claim_of(call(request(body=body), taken), KEYED, "k1", SECRET, "o", 0).reference == (
        reference
    )


def test_where_a_repetition_waits_for_an_inquiry() -> None:
    """The rule says so for each upstream."""
    rule = SettleRule(INQUIRY, resend_when_absent=True)
    taken = route(replace(candidate("a"), settle=rule), candidate("b"))
    claim = claim_of(call(request(body=BODY), taken), KEYED, "k1", SECRET, "owner", 0)
    assert claim.after_absence == {"a"}
