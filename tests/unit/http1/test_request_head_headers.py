"""Rules for the headers of requests: which travel on, and what they say of the connection."""

from __future__ import annotations

import dataclasses

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.request_head import Reject, RequestHead, request_head, request_line
from tests.unit.http1.fakes import edge_limits

LIMITS = edge_limits(header_count_max=20)


def head(*lines: bytes, version: bytes = b"1.1") -> RequestHead:
    """The reading of a POST with these header lines."""
    block = b"\r\n".join((b"POST / HTTP/" + version, b"Host: a", *lines, b"", b""))
    judged = request_head(block, LIMITS)
    assert isinstance(judged, RequestHead), judged
    return judged


def test_headers_travel_on_in_their_order_and_spelling() -> None:
    """Values too, the empty ones included; the key beside each name is in lower case."""
    judged = head(b"X-B: 1", b"accept: */*", b"X-Empty:", b"X-B: 2, 3")
    assert judged.headers == [
        (b"x-b", b"X-B", b"1"),
        (b"accept", b"accept", b"*/*"),
        (b"x-empty", b"X-Empty", b""),
        (b"x-b", b"X-B", b"2, 3"),
    ]


HOP_BY_HOP = [
    b"Connection: keep-alive", b"Keep-Alive: timeout=5", b"Proxy-Connection: keep-alive",
    b"Proxy-Authorization: Basic x", b"TE: trailers", b"Trailer: Expires", b"Upgrade: websocket",
    b"Content-Length: 0", b"Transfer-Encoding: chunked", b"Expect: 100-continue",
    b"HTTP2-Settings: AAA",
]  # fmt: skip


@pytest.mark.parametrize("line", HOP_BY_HOP)
def test_hop_by_hop_headers_do_not_travel(line: bytes) -> None:
    """They spoke of the application's connection, however they are written."""
    assert head(line).headers == []
    assert head(line.upper() if b"chunked" not in line else line, b"A: b").headers == [
        (b"a", b"A", b"b")
    ]


def test_headers_named_by_connection_do_not_travel() -> None:
    """In any of its lines, in any case, with any white space."""
    judged = head(b"Connection: X-One ,\tx-TWO", b"X-One: 1", b"Connection: x-three", b"A: b",
                  b"X-Two: 2", b"X-Three: 3", b"X-Four: 4")  # fmt: skip
    assert [name for _, name, _ in judged.headers] == [b"A", b"X-Four"]


def test_connection_cannot_take_framing_or_host_away() -> None:
    """Naming them there does not change what the message is."""
    judged = head(b"Connection: content-length, host", b"Content-Length: 5")
    assert (judged.length, judged.host) == (5, b"a")


@pytest.mark.parametrize(
    ("lines", "version", "keeps"),
    [
        ([], b"1.1", True),
        ([b"Connection: keep-alive"], b"1.1", True),
        ([b"Connection: close"], b"1.1", False),
        ([b"Connection: keep-alive, Close"], b"1.1", False),
        ([b"Connection: keep-alive", b"Connection: close"], b"1.1", False),
        ([b"Connection: close "], b"1.1", False),
        ([b"Connection: closed"], b"1.1", True),
        ([], b"1.0", False),
        ([b"Connection: keep-alive"], b"1.0", False),
    ],
)
def test_who_keeps_the_connection(lines: list[bytes], version: bytes, keeps: bool) -> None:
    """HTTP/1.1 keeps it unless told to close; HTTP/1.0 is never kept."""
    assert head(*lines, version=version).keep_alive is keeps


@pytest.mark.parametrize(
    ("value", "version", "expects"),
    [
        (b"100-continue", b"1.1", True),
        (b"100-Continue ", b"1.1", True),
        (b"100-continue", b"1.0", False),
    ],
)
def test_who_waits_for_permission(value: bytes, version: bytes, expects: bool) -> None:
    """Only HTTP/1.1 can be told to continue; on 1.0 the expectation is ignored (RFC 9110)."""
    judged = head(b"Expect: " + value, b"Content-Length: 1", version=version)
    assert judged.expects_continue is expects


def test_a_head_may_hold_exactly_as_many_headers_as_allowed() -> None:
    """Host counts as one of them."""
    lines = [b"A: b"] * (LIMITS.header_count_max - 1)
    assert len(head(*lines).headers) == len(lines)


def test_a_request_line_is_judged_before_its_headers_are_there() -> None:
    """So that a wrong one is refused at once; its length counts with CRLF."""
    line = b"GET /%b HTTP/1.1\r\n"
    limits = dataclasses.replace(LIMITS, request_line_bytes_max=len(line))
    fits = request_line(line % b"aa", limits)
    assert not isinstance(fits, Reject)
    assert fits.group(1, 2, 3) == (b"GET", b"/aa", b"1")
    assert request_line(line % b"aaa", limits) == Reject(414, "request_line_bytes_max")
    assert request_line(b"G\xe4T / HTTP/1.1\r\n", limits) == Reject(400, "request_line")
    assert request_line(b"GET /a#b HTTP/1.1\r\n", limits) == Reject(400, "target")


PIECES = [
    b"GET", b"POST", b" ", b"/", b"*", b"HTTP/1.1", b"HTTP/1.0", b"\r\n", b"\n", b"\r", b":", b": ",
    b"Host", b"a", b"Content-Length", b"Transfer-Encoding", b"chunked", b"5", b",", b"\t", b"\x00",
    b"\xff", b"_", b"Connection", b"close", b"upgrade", b"Upgrade", b"Expect", b"100-continue",
    b"http://a/", b"@", b"#",
]  # fmt: skip
SKELETON = [b"POST", b" ", b"/", b" ", b"HTTP/1.1", b"\r\n", b"Host", b": ", b"a", b"\r\n"]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=12), st.integers(0, 10), st.integers(0, 4))
def test_no_bytes_make_it_raise(pieces: list[bytes], at: int, cut: int) -> None:
    """Every head is accepted or refused; h11 understands what is accepted."""
    parts = SKELETON[:at] + pieces + SKELETON[at + cut :]
    block = b"".join(parts).replace(b"\r\n\r\n", b"\r\n").rstrip(b"\r\n") + b"\r\n\r\n"
    judged = request_head(block, LIMITS)
    if isinstance(judged, RequestHead):
        peer = h11.Connection(h11.SERVER)
        peer.receive_data(block)
        other = peer.next_event()
        assert isinstance(other, h11.Request)
        assert dict(other.headers)[b"host"].lower().startswith(judged.host)
        assert other.method == judged.method
        assert judged.target in (other.target, b"/" + other.target[len(b"http://a/") :])
        assert judged.method in LIMITS.methods
        for key, name, value in judged.headers:
            assert key == name.lower()
            assert b"_" not in name
            assert value.isascii()
            assert not set(b"\r\n\x00") & set(value)
