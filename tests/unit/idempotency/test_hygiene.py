"""Rules for what of an answer may be stored."""

from __future__ import annotations

import gzip
import json
import zlib

import pytest

from proxy.idempotency import hygiene
from proxy.idempotency.hygiene import Hygiene
from proxy.model.message import NEVER_STORED, Response
from tests.support.values import headers

HYGIENE = Hygiene(NEVER_STORED)
FORM = ("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
JSON = ("Content-Type", "application/json")


def kept(body: bytes, *fields: tuple[str, str]) -> bytes | None:
    """The body that is stored, or None."""
    stored = HYGIENE.storable(Response(201, headers(*fields), body))
    return None if stored is None else stored.body


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"charged",
        b'{"id": "ch_1", "shipping": "mapping", "cvc_check": "pass", "accident": 1}',
        b'{"message": "Invalid CVV: try again", "hint": "CVC2 wrong", "code": "pin"}',
        b'{"redirect": "https://pay.example/go?a=1&cid=7&track=2"}',
        b"<html>a spinning pin in shipping</html>",
        b"\x89PNG\0\0\0",
        b'{"broken": ',
        b"50% \\u00e9",
    ],
)
def test_an_answer_without_them_is_stored_as_it_is(body: bytes) -> None:
    """The very same, whatever it is, though a text may speak of a card's code."""
    answer = Response(200, headers(JSON), body)
    assert HYGIENE.storable(answer) is answer


@pytest.mark.parametrize(
    "name", [*NEVER_STORED, "CVV", "Cvc2", "trackData", "pin-block", "TRACK_2"]
)
def test_members_are_cut_out_of_json(name: str) -> None:
    """However their names are written, at any depth, and nothing else is touched."""
    body = json.dumps({"id": "1", "card": {name: "737", "brand": "x"}}).encode()
    assert kept(body, JSON) == b'{"id": "1", "card": {"brand": "x"}}'
    assert kept(body) == b'{"id": "1", "card": {"brand": "x"}}', "also without a content type"


def test_an_escaped_name_is_a_name() -> None:
    """JSON has many spellings of one text."""
    assert kept(b'{"\\u0063\\u0076v": "737", "a": 1}') == b'{"a": 1}'


@pytest.mark.parametrize(
    ("body", "left"),
    [
        (b"id=1&cvv=737&ok=1", b"id=1&ok=1"),
        (b"card%5Bcvc%5D=737&id=1", b"id=1"),
        (b"card.cvv2=737&card[%63vv]=1", b""),
        (b"a=1&%70in=1234", b"a=1"),
        (b"cvv2match=M&spin=1", b"cvv2match=M&spin=1"),
    ],
)
def test_fields_are_cut_out_of_forms(body: bytes, left: bytes) -> None:
    """In brackets, behind dots, percent-encoded."""
    assert kept(body, FORM) == left


@pytest.mark.parametrize(
    "body",
    [
        b"<r><cvv>737</cvv></r>",
        b"<r><ns:Cvv2 kind='x'>737</ns:Cvv2></r>",
        b'<field name="cvv">737</field>',
        b'--b\r\nContent-Disposition: form-data; name="cvc"\r\n\r\n737\r\n--b--',
        b"CVV=737\nid=1",
        b'{"cvv": "737"',
        b'\xef\xbb\xbf{"cvv": "737"}',
        b'{"id": "\xff", "cvv": "737"}',
        '{"cvv": "737"}'.encode("utf-16"),
        b'{"raw": "{\\"cvv\\": \\"737\\"}"}',
        b'{"raw": "{\\"in\\": \\"{\\\\\\"cvv\\\\\\": 737}\\"}"}',
        b'{"raw": "<x><cvv>737</cvv></x>"}',
        b'{"raw": "id=1&cvv=737"}',
    ],
)
def test_where_one_cannot_be_cut_out_surely_nothing_is_stored(body: bytes) -> None:
    """XML, broken JSON, other encodings, and documents within a text."""
    assert kept(body) is None


@pytest.mark.parametrize("coding", ["gzip", "GZIP", "deflate"])
def test_a_compressed_body_is_looked_into(coding: str) -> None:
    """It stays compressed unless something is cut out."""
    pack = zlib.compress if coding == "deflate" else gzip.compress
    field = ("Content-Encoding", coding)
    clean = Response(200, headers(JSON, field), pack(b'{"a": 1}'))
    assert HYGIENE.storable(clean) is clean
    stored = HYGIENE.storable(Response(200, headers(JSON, field), pack(b'{"a": 1, "pin": 2}')))
    assert stored == Response(200, headers(JSON), b'{"a": 1}')


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("br", b"x"),
        ("gzip, gzip", b"x"),
        ("gzip", b"not gzip"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-3]),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more"),
        ("gzip", gzip.compress(b"x" * 2000, mtime=0)),
    ],
)
def test_what_cannot_be_looked_into_is_not_stored(
    coding: str, body: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other codings, damaged bodies, and those that grow beyond a bound."""
    monkeypatch.setattr(hygiene, "DECODED_BYTES_MAX", 1000)
    assert kept(body, ("Content-Encoding", coding)) is None
    assert kept(b"", ("Content-Encoding", coding)) == b""
    assert kept(b"x", ("Content-Encoding", "identity")) == b"x"


def test_nothing_is_parsed_where_no_name_occurs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nearly all answers, so it must cost nothing."""
    monkeypatch.setattr("proxy.idempotency.hygiene.json", None)
    assert kept(b'{"id": 1, "amount": 100}') == b'{"id": 1, "amount": 100}'


def test_other_names_may_be_chosen() -> None:
    """Or none, and then everything is stored."""
    answer = Response(200, headers(JSON), b'{"cvv": 1, "secret_word": 2}')
    own = Hygiene(["SecretWord"]).storable(answer)
    assert own is not None
    assert own.body == b'{"cvv": 1}'
    assert Hygiene([]).storable(answer) is answer


def test_nesting_up_to_the_end_of_the_stack_is_no_bug() -> None:
    """It is read twice, the second time from deeper in."""
    for depth in range(900, 1000):
        body = b'{"cvv": 1, "a": %b%b}' % (b"[" * depth, b"]" * depth)
        assert b"cvv" not in (kept(body, JSON) or b"")
