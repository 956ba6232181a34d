"""Rules for what both kinds of heads share: their fields, and headers of the connection."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.grammar import DIGITS, NO_TOKENS, fields, note, tokens

REQUEST, RESPONSE = httptools.HttpRequestParser, httptools.HttpResponseParser
START = {REQUEST: b"GET / HTTP/1.1", RESPONSE: b"HTTP/1.1 200 OK"}
Parser = type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]
BOTH = pytest.mark.parametrize("parser", [REQUEST, RESPONSE], ids=["request", "response"])
NAMES = st.sampled_from([b"A", b"a", b"B-c", b"X-Long-Name", b"Set-Cookie", b"set-cookie"])
VALUES = st.sampled_from([b"", b"x", b"y, z", b"a: b", b'"q"', b"\tt"])


def head(parser: Parser, *lines: bytes) -> bytes:
    """A head of these header lines."""
    return b"\r\n".join((START[parser], *lines, b"", b""))


@BOTH
@given(pairs=st.lists(st.tuples(NAMES, VALUES), max_size=6))
def test_fields_are_all_there_in_order(parser: Parser, pairs: list[tuple[bytes, bytes]]) -> None:
    """Also those that repeat a name, in the same spelling or in another."""
    block = head(parser, *[name + b": " + value for name, value in pairs])
    found = fields(parser, block)
    assert found is not None
    assert list(found) == [(name, value.lstrip()) for name, value in pairs]


@BOTH
@pytest.mark.parametrize("line", [b"A : b", b"A: b\r\n c", b"A", b"A: \x00", b"\x01: b", b": b"])
def test_what_llhttp_refuses_has_no_fields(parser: Parser, line: bytes) -> None:
    """Neither those before the mistake nor those behind it."""
    assert fields(parser, head(parser, b"X: y", line, b"Z: z")) is None


def test_an_offer_of_another_protocol_is_no_mistake() -> None:
    """Java's client makes one with every request; its fields count like any other's."""
    offer = head(REQUEST, b"Connection: Upgrade", b"Upgrade: h2c", b"A: b")
    assert fields(REQUEST, offer) is not None
    assert len(fields(REQUEST, offer) or ()) == 3


def test_headers_of_the_connection_are_joined() -> None:
    """By a comma, which makes a doubled host or length one that no grammar accepts."""
    spoken: dict[bytes, bytes] = {}
    note(spoken, b"host", b"a \t")
    assert spoken == {b"host": b"a"}
    note(spoken, b"host", b"b")
    note(spoken, b"host", b"")
    assert spoken == {b"host": b"a,b,"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (b"keep-alive", NO_TOKENS),
        (b"close", {b"close"}),
        (b"Keep-Alive, \tX-One ,x-two", {b"keep-alive", b"x-one", b"x-two"}),
        (b"", {b""}),
    ],
)
def test_tokens_of_connection(value: bytes, expected: frozenset[bytes]) -> None:
    """In lower case and without white space; `keep-alive` alone is what everybody means anyway."""
    assert tokens({b"connection": value}) == expected


@pytest.mark.parametrize(
    ("length", "fits"),
    [(b"0", True), (b"007", True), (b"9" * 15, True), (b"9" * 16, False), (b"", False),
     (b"+1", False), (b"1 ", False), (b"0x1", False), ("١".encode(), False)],
)  # fmt: skip
def test_digits(length: bytes, fits: bool) -> None:
    """ASCII digits and nothing else, and few enough of them to count with."""
    assert (DIGITS.fullmatch(length) is not None) is fits
