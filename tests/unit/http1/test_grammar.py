"""Rules for what both kinds of heads share: their fields, and headers of the connection."""

from __future__ import annotations

import httptools
import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.grammar import DIGITS, NO_TOKENS, Lines, note, tokens

Parser = type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]
PARSERS: dict[str, tuple[Parser, bytes]] = {
    "request": (httptools.HttpRequestParser, b"GET / HTTP/1.1"),
    "response": (httptools.HttpResponseParser, b"HTTP/1.1 200 OK"),
}
BOTH = pytest.mark.parametrize("kind", PARSERS)
NAMES = st.sampled_from(
    [b"A", b"a", b"B-c", b"X-Long-Name", b"Set-Cookie", b"set-cookie", b"Content-Type", b"Host"]
)
VALUES = st.sampled_from([b"", b"x", b"y, z", b"a: b", b'"q"', b"\tt", b"v \t"])
BAD = [b"A : b", b"A: b\r\n c", b"A", b"A: \x00", b"\x01: b", b": b", b"A: b\rc", b"A: b\nc", b" a"]


def judge(kind: str) -> Lines:
    """A judge that has seen nothing yet."""
    return Lines(*PARSERS[kind])


def head(*lines: bytes) -> bytes:
    """A head of these header lines."""
    return b"\r\n".join((b"any start line", *lines, b"", b""))


@BOTH
@given(
    heads=st.lists(st.lists(st.tuples(NAMES, VALUES), max_size=6), min_size=1, max_size=3),
)
def test_headers_are_all_there_in_order(kind: str, heads: list[list[tuple[bytes, bytes]]]) -> None:
    """Also those that repeat a name or a line, and whatever was seen before."""
    lines = judge(kind)
    for pairs in heads:
        block = head(*[name + b": " + value for name, value in pairs])
        expected = [(name.lower(), name, value.strip(b" \t")) for name, value in pairs]
        assert lines.read(block) == expected


@BOTH
@pytest.mark.parametrize("line", BAD)
def test_what_llhttp_refuses_is_refused_whatever_was_seen_before(kind: str, line: bytes) -> None:
    """Alone, between known lines or unknown ones, again and again."""
    lines = judge(kind)
    assert lines.read(head(b"Host: a", b"Date: b")) is not None
    for block in (head(line), head(b"Host: a", line, b"Date: b"), head(b"X: y", line, b"Z: z")):
        for _ in range(2):
            assert lines.read(block) is None


@BOTH
def test_lines_that_only_quarrel_with_each_other_are_good(kind: str) -> None:
    """Framing is judged behind this, by rules that do not depend on what was seen before."""
    lines = judge(kind)
    block = head(b"Content-Length: 1", b"Transfer-Encoding: chunked", b"Content-Length: 2")
    for _ in range(2):
        found = lines.read(block)
        assert found is not None
        assert [value for _, _, value in found] == [b"1", b"chunked", b"2"]


@BOTH
def test_only_lines_without_secrets_are_kept(kind: str) -> None:
    """A card number, a credential or a key must not outlive its call in our memory."""
    lines = judge(kind)
    secret = [b"Authorization: s", b"Idempotency-Key: s", b"Cookie: s", b"X-Any: s"]
    assert lines.read(head(b"Host: a", b"Content-Type: " + b"x" * 300, *secret)) is not None
    assert set(lines.kept) == {b"Host: a"}


@BOTH
def test_what_is_kept_is_bounded(kind: str) -> None:
    """A partner that sends a new date each second fills it up; the lines that matter come back."""
    lines = judge(kind)
    for number in range(10_000):
        assert lines.read(head(b"Date: %d" % number)) is not None
        assert len(lines.kept) <= 4096


def test_an_offer_of_another_protocol_is_no_mistake() -> None:
    """Java's client makes one with every request; its headers count like any other's."""
    found = judge("request").read(head(b"Connection: Upgrade", b"Upgrade: h2c", b"A: b"))
    assert found is not None
    assert [key for key, _, _ in found] == [b"connection", b"upgrade", b"a"]


def test_headers_of_the_connection_are_joined() -> None:
    """By a comma, which makes a doubled host or length one that no grammar accepts."""
    spoken: dict[bytes, bytes] = {}
    note(spoken, b"host", b"a")
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
