"""Rules for which key a call carries, and what it claims with it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.idempotency.asked import claim_of, key_of, ticket_of
from proxy.idempotency.keys import partner_key
from proxy.idempotency.record import State
from proxy.model.call import Call
from proxy.model.outcome import Refused
from proxy.model.route import Idempotency, KeyFrom, OwnKeys
from proxy.model.settling import SettleRule
from tests.support.values import call, candidate, headers, request, route
from tests.unit.idempotency.values import INQUIRY, KEYED, REVERSAL, row

SECRET = b"s" * 32
SEND_BY = 1_700_000_005.0
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
    claim = claim_of(made, KEYED, "k1", SECRET, "owner", 7, SEND_BY)
    assert (claim.scope.tenant, claim.scope.group) == ("default", "acme")
    assert (claim.scope.operation, claim.scope.key) == ("authorize", "k1")
    assert (claim.owner, claim.call, claim.salt) == ("owner", made.id, 7)
    assert claim.resend_s == {"a": 3600.0, "b": 0.0}
    assert claim.reference == "r1"
    by_header = replace(KEYED, tenant_header=b"x-shop")
    assert claim_of(made, by_header, "k1", SECRET, "owner", 7, SEND_BY).scope.tenant == "shop-1"
    assert claim_of(asked(), by_header, "k1", SECRET, "owner", 7, SEND_BY).scope.tenant == "default"
    assert claim_of(asked(), KEYED, "k1", SECRET, "owner", 7, SEND_BY).reference == ""


def test_the_claim_carries_the_first_fence() -> None:
    """For the route's first candidate, under a key that each candidate takes."""
    own = OwnKeys(b"Idempotency-Key", 30, 3600.0)
    made = call(request(body=BODY), route(candidate("a"), replace(candidate("b"), own_keys=own)))
    claim = claim_of(made, KEYED, "k1", SECRET, "owner", 7, SEND_BY)
    assert claim.fence is not None
    assert (claim.fence.attempt, claim.fence.partner, claim.fence.upstream) == (1, "acme", "a")
    assert claim.fence.partner_key == partner_key(claim.id, 30)
    assert claim.fence.send_by == SEND_BY


def test_the_hold_on_a_key() -> None:
    """Fenced for the first candidate; a repetition goes where the key is in doubt, and there only;
    a key that was claimed without a fence has none.
    """
    own = OwnKeys(b"Idempotency-Key", 30, 3600.0, frozenset({402}))
    at = route(candidate("a"), replace(candidate("b"), own_keys=own))
    claimed = row(State.CLAIMED)
    fresh = ticket_of(at, row(State.SENDING), 9.0, resend=False)
    assert (fresh.fenced, fresh.fenced_for, fresh.send_by) == (True, "a", 9.0)
    assert (fresh.partner_key, fresh.only_upstream) == (row(State.SENDING).partner_key, None)
    again = ticket_of(at, replace(row(State.IN_DOUBT), upstream="b"), 9.0, resend=True)
    assert (again.fenced, again.fenced_for, again.only_upstream) == (False, None, "b")
    assert again.conclusive == {402}
    bare = ticket_of(at, claimed, 9.0, resend=False)
    assert (bare.fenced, bare.fenced_for) == (False, None)
    assert bare.partner_key == partner_key(claimed.id, 30)


@pytest.mark.parametrize("reference", [b"r" * 1000, b"r\\u0000", b"r\\ud800", b"r\\n"])
def test_a_reference_that_cannot_be_asked_by_is_none(reference: bytes) -> None:
    """Asked by a part of it, the partner would deny what it has executed; and a character that
    nobody can see, or that is none, no journal could keep.
    """
    taken = route(replace(candidate("a"), settle=SettleRule(INQUIRY)))
    made = call(request(body=b'{"reference": "%b"}' % reference), taken)
    assert claim_of(made, KEYED, "k1", SECRET, "owner", 0, SEND_BY).reference == ""


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
    claim = claim_of(call(request(body=body), taken), KEYED, "k1", SECRET, "o", 0, SEND_BY)
    assert claim.reference == reference


def test_where_a_repetition_waits_for_an_inquiry() -> None:
    """The rule says so for each upstream."""
    rule = SettleRule(INQUIRY, resend_when_absent=True)
    taken = route(replace(candidate("a"), settle=rule), candidate("b"))
    claim = claim_of(call(request(body=BODY), taken), KEYED, "k1", SECRET, "owner", 0, SEND_BY)
    assert claim.after_absence == {"a"}


def test_a_call_that_may_go_nowhere_claims_without_a_fence() -> None:
    """Its answer may be stored; and nothing is said to be about to be sent."""
    made = asked()
    made.candidates = ()
    claim = claim_of(made, KEYED, "k1", SECRET, "owner", 7, SEND_BY)
    assert (claim.fence, made.route is not None) == (None, True)
