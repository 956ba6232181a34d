"""`proxy.http1.grammar`: no header of a head is lost, merged or reordered on its way to us."""

from __future__ import annotations

import httptools
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.grammar import fields, note, tokens

NAMES = st.sampled_from([b"A", b"a", b"B", b"Set-Cookie", b"set-cookie", b"Host"])
PAIRS = st.lists(st.tuples(NAMES, st.sampled_from([b"1", b"2", b"x, y", b""])), max_size=8)


def _block(pairs: list[tuple[bytes, bytes]]) -> bytes:
    lines = [name + b": " + value for name, value in pairs]
    return b"\r\n".join([b"HTTP/1.1 200 OK", *lines, b"", b""])


@given(PAIRS)
def test_every_header_arrives_as_it_stands(pairs: list[tuple[bytes, bytes]]) -> None:
    """Also when a name comes twice, in one spelling or in two: order and number are kept."""
    found = fields(httptools.HttpResponseParser, _block(pairs))
    assert found is not None
    assert list(found) == pairs


def test_what_llhttp_refuses_has_no_fields() -> None:
    """And an offer to change protocols is no refusal."""
    assert fields(httptools.HttpResponseParser, b"HTTP/1.1 200 OK\nA: 1\r\n\r\n") is None
    offer = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    found = fields(httptools.HttpRequestParser, offer)
    assert found is not None
    assert [name for name, _ in found] == [b"Host", b"Connection", b"Upgrade"]


def test_a_header_of_the_connection_that_comes_twice_is_joined() -> None:
    """No host, length or coding has a comma, so its own grammar refuses what is doubled."""
    spoken: dict[bytes, bytes] = {}
    note(spoken, b"content-length", b"5 ")
    note(spoken, b"content-length", b"5")
    assert spoken == {b"content-length": b"5,5"}


def test_tokens_of_connection_are_read_in_lower_case() -> None:
    """`keep-alive` alone names no header and closes nothing."""
    assert tokens({b"connection": b"Close, X-Private"}) == {b"close", b"x-private"}
    assert tokens({b"connection": b"keep-alive"}) == frozenset()
