"""Rules for the chunked transfer coding: where a body ends is decided one way only."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.chunked import Chunked, ChunkedDecoder
from proxy.http1.limits import CHUNK_OVERHEAD_BYTES_MAX

BODY_MAX = 64
Verdict = tuple[Chunked, bytes, bytes, bool]


def decode(pieces: list[bytes], *, trailers: bool = False, body_max: int = BODY_MAX) -> Verdict:
    """(state, body, bytes left over, irregular) after these pieces have come one by one."""
    decoder = ChunkedDecoder(body_max, trailers_allowed=trailers)
    buffer = bytearray()
    state = Chunked.MORE
    for piece in pieces:
        buffer += piece
        if state is Chunked.MORE:
            state = decoder.consume(buffer)
    rest = bytes(buffer) if state is Chunked.DONE else b""
    body = decoder.body if state is Chunked.DONE else b""
    return state, body, rest, decoder.irregular


def one_by_one(data: bytes) -> list[bytes]:
    """Every byte a piece of its own."""
    return [data[at : at + 1] for at in range(len(data))]


def naive(data: bytes, *, trailers: bool) -> tuple[bytes, bytes] | None:
    """(body, rest) by a slow reading of RFC 9112 7.1, or None if there is no such body."""
    body = b""
    while True:
        line, crlf, data = data.partition(b"\r\n")
        digits, _, extension = line.partition(b";")
        printable = all(byte == 9 or 32 <= byte < 127 for byte in extension)
        if not crlf or not printable or len(extension) > 255 or not 1 <= len(digits) <= 8:
            return None
        if not all(byte in b"0123456789abcdefABCDEF" for byte in digits):
            return None
        size = int(digits, 16)
        if size == 0:
            break
        body += data[:size]
        if len(body) > BODY_MAX or data[size : size + 2] != b"\r\n":
            return None
        data = data[size + 2 :]
    while True:
        line, crlf, data = data.partition(b"\r\n")
        if not crlf:
            return None
        if not line:
            return body, data
        name, colon, value = line.partition(b":")
        token = name.isascii() and name.replace(b"-", b"a").isalnum()
        printable = all(byte == 9 or (byte >= 32 and byte != 127) for byte in value)
        if not trailers or not colon or not token or not printable:
            return None


ALPHABET = b"\r\n;:0123aF- \tx\x00\xff"


@st.composite
def wires(draw: st.DrawFn) -> bytes:
    """A chunked body, perhaps with trailers and bytes behind it, and perhaps damaged."""
    wire = b""
    for content in draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4)):
        extension = draw(st.sampled_from([b"", b";a=b", b";", b"; \t~"]))
        wire += b"%x%b\r\n%b\r\n" % (len(content), extension, content)
    wire += draw(st.sampled_from([b"0\r\n", b"000\r\n", b"0;x\r\n"]))
    wire += draw(st.sampled_from([b"", b"", b"A: b\r\n", b"a-b:\r\nC: \t d\r\n"]))
    wire += b"\r\n" + draw(st.sampled_from([b"", b"GET / HTTP/1.1\r\n"]))
    for _ in range(draw(st.integers(0, 2))):
        at = draw(st.integers(0, len(wire)))
        cut = draw(st.integers(0, 2))
        added = bytes(draw(st.lists(st.sampled_from(ALPHABET), max_size=2)))
        wire = wire[:at] + added + wire[at + cut :]
    return wire


@settings(max_examples=300)
@given(wires(), st.booleans())
def test_it_agrees_with_a_naive_reading(wire: bytes, trailers: bool) -> None:
    """What is complete and well-formed is taken, with exactly its bytes; nothing else is."""
    state, body, rest, _ = decode([wire], trailers=trailers)
    expected = naive(wire, trailers=trailers)
    assert (state is Chunked.DONE) == (expected is not None)
    if expected is not None:
        assert (body, rest) == expected


@settings(max_examples=300)
@given(wires(), st.booleans(), st.data())
def test_where_segments_end_does_not_matter(
    wire: bytes, trailers: bool, data: st.DataObject
) -> None:
    """The verdict, the body and what is left over are the same at every split."""
    whole = decode([wire], trailers=trailers)
    assert decode(one_by_one(wire), trailers=trailers) == whole
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=4)))
    edges = [0, *cuts, len(wire)]
    pieces = [wire[start:end] for start, end in pairwise(edges)]
    assert decode(pieces, trailers=trailers) == whole


MALFORMED = {
    "a space before the size": b" 1\r\na\r\n",
    "a space behind the size": b"1 \r\na\r\n",
    "a tab behind the size": b"1\t\r\na\r\n",
    "0x": b"0x1\r\na\r\n",
    "a sign": b"+1\r\na\r\n",
    "no digits": b"\r\na\r\n",
    "an extension without a size": b";a\r\na\r\n",
    "nine digits": b"000000001\r\na\r\n",
    "a size that overflows 64 bits": b"10000000000000001\r\na\r\n",
    "bare LF behind the size": b"1\na\r\n",
    "bare LF in an extension": b"1;a\nb\r\na\r\n",
    "bare CR in an extension": b"1;a\rb\r\na\r\n",
    "NUL in an extension": b"1;\x00\r\na\r\n",
    "bytes over 0x7f in an extension": b"1;\xff\r\na\r\n",
    "an extension of 256 bytes": b"1;" + b"a" * 256 + b"\r\na\r\n",
    "no CRLF behind the content": b"1\r\naXX\r\n",
    "bare LF behind the content": b"1\r\na\n0\r\n\r\n",
    "content longer than its size": b"1\r\nab\r\n0\r\n\r\n",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_it_is_strict(name: str) -> None:
    """Whatever two readers might read differently is refused, however it is cut."""
    wire = MALFORMED[name]
    assert decode([wire])[0] is Chunked.MALFORMED
    assert decode(one_by_one(wire))[0] is Chunked.MALFORMED


def test_a_longest_extension_is_dropped() -> None:
    """255 printable bytes are allowed, and are no part of the body."""
    wire = b"1;" + b"~" * 255 + b"\r\na\r\n0\r\n\r\n"
    assert decode(one_by_one(wire)) == (Chunked.DONE, b"a", b"", False)


def test_the_body_is_bounded_before_it_comes() -> None:
    """A size beyond the bound is refused when it is announced; one byte below is not."""
    assert decode([b"%x\r\n" % (BODY_MAX + 1)])[0] is Chunked.TOO_LARGE
    assert decode([b"%x\r\n" % BODY_MAX])[0] is Chunked.MORE
    assert decode([b"1\r\na\r\n%x\r\n" % BODY_MAX])[0] is Chunked.TOO_LARGE


@pytest.mark.parametrize("piece_bytes", [1, 100, 1 << 20])
def test_framing_is_bounded(piece_bytes: int) -> None:
    """A sender of one-byte chunks is cut off, however its bytes are grouped, end or no end."""
    chunks = CHUNK_OVERHEAD_BYTES_MAX // 5
    wire = b"1\r\na\r\n" * chunks + b"0\r\n\r\n"
    pieces = [wire[at : at + piece_bytes] for at in range(0, len(wire), piece_bytes)]
    assert decode(pieces, body_max=1 << 20)[0] is Chunked.TOO_LARGE
    wire = b"1\r\na\r\n" * (chunks - 1) + b"0\r\n\r\n"
    assert decode([wire], body_max=1 << 20)[:2] == (Chunked.DONE, b"a" * (chunks - 1))


def test_a_large_body_in_few_chunks_costs_no_overhead() -> None:
    """Content is not framing, whether it has come yet or not."""
    size = 4 * CHUNK_OVERHEAD_BYTES_MAX
    wire = b"%x\r\n" % size + b"a" * size + b"\r\n0\r\n\r\n"
    pieces = [wire[at : at + 1000] for at in range(0, len(wire), 1000)]
    assert decode(pieces, body_max=size) == (Chunked.DONE, b"a" * size, b"", False)


@pytest.mark.parametrize("trailer", [b"A: b\r\n", b"A", b"\rX", b"A:\x00\r\n"])
def test_trailers_of_requests_are_refused(trailer: bytes) -> None:
    """Nobody reads them the same way, so a request has none; their first bytes are enough."""
    assert decode([b"0\r\n" + trailer])[0] is Chunked.TRAILERS
    assert decode(one_by_one(b"0\r\n" + trailer))[0] is Chunked.TRAILERS


def test_trailers_of_answers_are_read_dropped_and_noted() -> None:
    """The answer stands; `irregular` says that its connection should not serve on."""
    wire = b"1\r\na\r\n0\r\nExpires: never\r\nB:\r\n\r\n"
    assert decode([wire], trailers=True) == (Chunked.DONE, b"a", b"", True)
    assert decode([b"1\r\na\r\n0\r\n\r\n"], trailers=True)[3] is False


@pytest.mark.parametrize(
    "trailer",
    [b"no colon\r\n", b": x\r\n", b"A : b\r\n", b"A: b\n\r\n", b"A: \x00\r\n", b" A: b\r\n"],
)
def test_malformed_trailers_are_refused_everywhere(trailer: bytes) -> None:
    """Dropping them is no reason to guess where they end."""
    assert decode([b"0\r\n" + trailer], trailers=True)[0] is Chunked.MALFORMED


@pytest.mark.parametrize("byte_count", [8192, 8193])
def test_a_trailer_line_is_bounded(byte_count: int) -> None:
    """8 KiB with its CRLF, whether it comes at once or byte by byte."""
    wire = b"0\r\nA:" + b"b" * (byte_count - 4) + b"\r\n\r\n"
    expected = Chunked.DONE if byte_count <= 8192 else Chunked.MALFORMED
    assert decode([wire], trailers=True)[0] is expected
    assert decode(one_by_one(wire), trailers=True)[0] is expected


@pytest.mark.parametrize("end", [b"\n", b"x", b"\rx"])
def test_a_chunk_that_does_not_end_where_it_said_is_refused_at_once(end: bytes) -> None:
    """And not only when its sender has been waited for: this body will never be a good one."""
    state, _, _, _ = decode([b"3\r\nabc" + end])
    assert state is Chunked.MALFORMED
