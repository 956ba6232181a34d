"""Rules for cutting requests off the bytes of a connection, one after another."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.request import RequestReader
from proxy.http1.request_head import Reject
from tests.unit.http1.door import request
from tests.unit.http1.fakes import edge_limits

LIMITS = edge_limits()
CHUNKED = request(b"POST", b"Transfer-Encoding: chunked")
MESSAGES: list[tuple[bytes, bytes]] = [
    (request(), b""),
    (request(b"POST", body=b"hello"), b"hello"),
    (request(b"PUT", b"Expect: 100-continue", body=b"expected"), b"expected"),
    (CHUNKED + b"2\r\nab\r\n1\r\nc\r\n0\r\n\r\n", b"abc"),
]
ENDINGS: list[tuple[bytes, Reject | None]] = [
    (b"", None),
    (b"GET / HT", None),
    (CHUNKED + b"5\r\nabc", None),
    (b"GET / HTTP/2.0\r\n", Reject(505, "http_version")),
    (request(b"GET", b"A : b"), Reject(400, "grammar")),
    (CHUNKED + b"5;\x00\r\n", Reject(400, "chunked")),
    (CHUNKED + b"0\r\nA: b\r\n\r\n", Reject(400, "trailers")),
]


def read_all(pieces: list[bytes]) -> tuple[list[bytes], Reject | None]:
    """(bodies of the requests, the refusal that ended them, if one did)."""
    reader = RequestReader(LIMITS)
    bodies: list[bytes] = []
    for piece in pieces:
        result = reader.feed(piece)
        while isinstance(result, tuple):
            bodies.append(result[1])
            result = None if reader.empty else reader.advance()
        if isinstance(result, Reject):
            return bodies, result
    return bodies, None


@settings(max_examples=150)
@given(
    st.lists(st.sampled_from(MESSAGES), max_size=4), st.sampled_from(ENDINGS), st.data()
)  # fmt: skip
def test_where_segments_end_does_not_matter(
    messages: list[tuple[bytes, bytes]], ending: tuple[bytes, Reject | None], data: st.DataObject
) -> None:
    """The same requests, in order, and the same refusal behind them, at every split."""
    wire = b"".join(message for message, _ in messages) + ending[0]
    expected = ([body for _, body in messages], ending[1])
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=4)))
    pieces = [wire[start:end] for start, end in pairwise([0, *cuts, len(wire)]) if start < end]
    assert read_all(pieces) == expected
    assert read_all([wire[at : at + 1] for at in range(len(wire))]) == expected


@pytest.mark.parametrize("before", [b"\r\n", b"GET /a", b"GET / HT"])
def test_bytes_before_a_request_spoil_it(before: bytes) -> None:
    """Also when the request itself comes in a segment of its own."""
    assert read_all([before, request()]) == ([], Reject(400, "request_line"))


def test_it_says_how_far_a_message_has_come() -> None:
    """Nothing, part of a head, a head without its body, and nothing again."""
    reader = RequestReader(LIMITS)
    wire = request(b"POST", body=b"hi")
    states = [(reader.empty, reader.in_body)]
    for start, end in pairwise((0, 5, len(wire) - 2, len(wire) - 1, len(wire))):
        reader.feed(wire[start:end])
        states.append((reader.empty, reader.in_body))
    assert states == [(True, False), (False, False), (False, True), (False, True), (True, False)]


def test_what_is_kept_waits_its_turn() -> None:
    """Bytes that come during a call are not looked at until `advance`, and can be given up."""
    reader = RequestReader(LIMITS)
    reader.keep(b"GET / HTTP/2.0\r\n")
    assert not reader.empty
    assert reader.advance() == Reject(505, "http_version")
    reader.clear()
    assert reader.empty


@pytest.mark.parametrize(
    ("wire", "asked"),
    [
        (request(b"POST", b"Expect: 100-continue", b"Content-Length: 2"), True),
        (request(b"POST", b"Expect: 100-continue", b"Transfer-Encoding: chunked"), True),
        (request(b"POST", b"Expect: 100-continue", b"Content-Length: 2") + b"h", False),
        (request(b"POST", b"Expect: 100-continue", b"Content-Length: 0"), False),
        (request(b"POST", b"Content-Length: 2"), False),
    ],
)
def test_who_waits_for_permission(wire: bytes, asked: bool) -> None:
    """Only a sender that says so, has a body, and has not begun to send it."""
    reader = RequestReader(LIMITS)
    reader.feed(wire)
    assert reader.asked_to_continue is asked


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"GET /" + b"a" * 124, "request_line_bytes_max"),
        (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 90, "header_bytes_max"),
        (b"GET / RTSP/1.0\r\n", "request_line"),
        (b"\n", "request_line"),
        (CHUNKED + b"0\r\nA", "trailers"),
        (CHUNKED + b"1;" + b"a" * 264, "chunked"),
        (CHUNKED + b"41\r\n", "body_bytes_max"),
    ],
)
def test_it_is_refused_as_soon_as_it_can_be(wire: bytes, reason: str) -> None:
    """Nobody waits for the end of what can never become a request: that end may not come."""
    bodies, refused = read_all([wire])
    assert bodies == []
    assert isinstance(refused, Reject)
    assert refused.reason == reason


@pytest.mark.parametrize("wire", [b"GET / HTTP/1.1\r\nHost: a\n", b"GET / HTTP/1.1\r\nA\n: b"])
def test_a_bare_line_feed_is_refused_at_once(wire: bytes) -> None:
    """Such a head would never be complete, and its sender would be waited for in vain."""
    assert RequestReader(edge_limits()).feed(wire) == Reject(400, "grammar")


@pytest.mark.parametrize(
    ("wire", "is_head"),
    [
        (b"HEAD /a#b HTTP/1.1\r\nHost: a\r\n\r\n", True),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n", True),
        (b"GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n", False),
    ],
)
def test_a_refused_head_request_is_known_as_one(wire: bytes, is_head: bool) -> None:
    """The reply to it must have no body, whatever it was refused for."""
    reader = RequestReader(edge_limits())
    assert isinstance(reader.feed(wire), Reject)
    assert reader.for_head is is_head
