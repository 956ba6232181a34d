"""Rules for keys, scopes and fingerprints."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.idempotency.keys import (
    canonical,
    derived_key,
    field_texts,
    fingerprint,
    partner_key,
    read_key,
    row_id,
)
from proxy.idempotency.record import Scope
from tests.support.values import CARD
from tests.unit.idempotency.values import SCOPE

SECRET = b"s" * 32
TEXTS = st.text(max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("value", "key"),
    [
        (b"abc-1", "abc-1"),
        (b'"abc-1"', "abc-1"),
        (b'"a\\"b\\\\c"', 'a"b\\c'),
        (b'"abc"; p=1', "abc"),
        (b"", None),
        (b'""', None),
        (b'"abc', None),
        (b"a,b", None),
        (b"a;b", None),
        (b"a b", None),
        (b'"a\x00"', None),
        ("ä".encode(), None),
        (b"x" * 20, "x" * 20),
        (b"x" * 21, None),
    ],
)
def test_a_key_is_bare_or_a_structured_string(value: bytes, key: str | None) -> None:
    """Real applications send both; whatever could be read in two ways is none."""
    assert read_key(value, 20) == key


@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS, TEXTS))
def test_two_scopes_have_two_ids(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    """Also where their parts, written one after another, would read alike."""
    assert (row_id(Scope(*one)) == row_id(Scope(*other))) is (one == other)
    assert len(row_id(Scope(*one))) == 16


def test_the_partners_key_is_stable_and_ours() -> None:
    """Two tenants may use the same key; a partner that takes few characters gets few."""
    key = partner_key(row_id(SCOPE), 64)
    assert key == partner_key(row_id(SCOPE), 64)
    assert key != partner_key(row_id(replace(SCOPE, tenant="other")), 64)
    assert SCOPE.key not in key
    assert partner_key(row_id(SCOPE), 20) == key[:20]


BODY = b'{"amount": 100, "card": {"number": "41"}, "at": "10:00"}'


@pytest.mark.parametrize(
    ("body", "same"),
    [
        (b'{"card":{"number":"41"},"at":"10:00","amount":100}', True),
        (b'{"amount": 100.0, "card": {"number": "41"}, "at": "10:00"}', False),
        (b'{"amount": "100", "card": {"number": "41"}, "at": "10:00"}', False),
        (b'{"amount": 100, "amount": 100, "card": {"number": "41"}, "at": "10:00"}', False),
        (b'{"amount": 100, "card": {"number": "42"}, "at": "10:00"}', False),
        (b'{"amount": 100, "card": {"number": "41"}}', False),
    ],
)
def test_json_is_compared_by_what_it_asks_for(body: bytes, same: bool) -> None:
    """Order and white space ask for nothing; how a number is written may."""
    made = [fingerprint(SECRET, b"POST", b"/x", each) for each in (BODY, body)]
    assert (made[0] == made[1]) is same


def test_what_a_journal_holds_is_known_again_by_every_release() -> None:
    """Ids, fingerprints and partners' keys are these digests, and stay so."""
    text = b"11:fingerprint4:POST2:/x1:b"
    assert fingerprint(SECRET, b"POST", b"/x", b"b") == hmac.digest(SECRET, text, "sha256")
    named = hashlib.sha256(b"partner key:" + b"r" * 16).hexdigest()
    assert [partner_key(b"r" * 16, each) for each in (255, 20)] == [
        f"tg-{named}",
        f"tg-{named}"[:20],
    ]
    scope = Scope("te", "group", "authorize", "k-1")
    digest = hashlib.sha256(b"2:te5:group9:authorize3:k-1").digest()
    assert [row_id(scope), row_id(scope)] == [digest[:16], digest[:16]]


@pytest.mark.parametrize("white", [b"", b" ", b"\r\n\t "])
def test_white_space_behind_json_is_none_of_it(white: bytes) -> None:
    """Anything else there makes it no JSON, and it is compared byte by byte."""
    assert canonical(b'{"a": 1}' + white) == canonical(b'{"a":1}')
    for more in (b"x", b"{}", b"\0", "\u00a0".encode()):
        body = b'{"a": 1}' + white + more
        assert canonical(body) == body


def test_all_that_is_asked_for_counts() -> None:
    """Method, path and body; and the secret, so that nobody can try card numbers."""
    first = fingerprint(SECRET, b"POST", b"/x", b"b")
    assert len(first) == 32
    assert first not in {
        fingerprint(SECRET, b"PUT", b"/x", b"b"),
        fingerprint(SECRET, b"POST", b"/y", b"b"),
        fingerprint(SECRET, b"POST", b"/x", b"c"),
        fingerprint(b"t" * 32, b"POST", b"/x", b"b"),
        fingerprint(SECRET, b"POST", b"/xb", b""),
    }


def test_what_differs_between_two_tries_can_be_left_out() -> None:
    """By pointer; one that leads nowhere leaves nothing out."""
    later = BODY.replace(b"10:00", b"10:05")
    for volatile in (["/at"], ["/card/none", "/none/x", "/amount/x", "/at"]):
        made = [fingerprint(SECRET, b"POST", b"/x", each, volatile) for each in (BODY, later)]
        assert made[0] == made[1]


@pytest.mark.parametrize(
    "body", [b"a=1&b=2", b"", b"{", b'{"a":1,"a":2}', b'"text"', b"[" * 5000, b'{"a":"\xff"}']
)
def test_what_is_no_plain_json_counts_as_it_stands(body: bytes) -> None:
    """Forms, XML, and JSON that two parsers might read differently."""
    assert canonical(body) == body


@given(JSON, JSON)
def test_two_meanings_never_read_alike(one: Any, other: Any) -> None:
    """A number and the string of its digits, an empty list and none, and so on."""
    alike = canonical(json.dumps([one]).encode()) == canonical(json.dumps([other]).encode())
    assert alike is (json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True))


def test_the_same_fields_make_the_same_key() -> None:
    """Wherever they stand, and nothing else counts; without one of them there is no key."""
    pointers = ["/reference", "/amount"]
    first = derived_key(SECRET, b'{"reference": "r", "amount": 1, "x": 1}', pointers)
    assert first is not None
    assert first == derived_key(SECRET, b'{"amount":1,"reference":"r"}', pointers)
    assert first != derived_key(SECRET, b'{"amount":2,"reference":"r"}', pointers)
    assert first != derived_key(SECRET, b'{"amount":"1","reference":"r"}', pointers)
    assert first != derived_key(b"t" * 32, b'{"amount":1,"reference":"r"}', pointers)
    assert derived_key(SECRET, b'{"amount":1}', pointers) is None
    assert derived_key(SECRET, b"amount=1", pointers) is None


def test_a_derived_key_shows_nothing_of_its_fields() -> None:
    """A card number may be among them."""
    key = derived_key(SECRET, json.dumps({"card": CARD}).encode(), ["/card"])
    assert key is not None
    assert CARD not in key


def test_field_texts() -> None:
    """Texts and numbers; whatever else stands there is no reference."""
    body = b'{"a": "x", "n": 7, "o": {}, "z": null}'
    assert field_texts(body, ["/a", "/n", "/o", "/z", "/none"]) == ["x", "7"]
    assert field_texts(b"no json", ["/a"]) == []


def test_no_text_reads_like_json() -> None:
    """A body that spells what another one is compared by is another payment."""
    for body in (b'{"amount": 1}', b"[]", b"JSON:[]"):
        spelled = canonical(body)
        assert canonical(spelled) != spelled


def _deeper(frames: int, body: bytes) -> bytes:
    return canonical(body) if frames == 0 else _deeper(frames - 1, body)


@pytest.mark.parametrize("depth", [199, 200, 201, 700, 950])
def test_nesting_is_judged_alike_however_deep_the_stack(depth: int) -> None:
    """Else a duplicate that has waited would seem to be another payment than its first."""
    body = b"[" * depth + b"]" * depth
    assert {_deeper(frames, body) for frames in (0, 20, 200)} == {canonical(body)}
    assert canonical(body).startswith(b"JSON:") == (depth <= 200)


def test_brackets_in_texts_do_not_nest() -> None:
    """Escaped quotes end no text, and what never ends is no JSON."""
    body = b'["' + b'[{\\"' * 300 + b'"]'
    assert canonical(body).startswith(b"JSON:")
    assert canonical(body[:-2]) == body[:-2]
