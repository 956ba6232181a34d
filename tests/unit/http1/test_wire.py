"""Rules for what we write: an independent reader understands it, and reads exactly one message."""

from __future__ import annotations

import h11
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1 import wire
from proxy.model.message import Header, Response, header

Field = tuple[bytes, bytes]
NAMES = st.sampled_from([b"Accept", b"X-One", b"x-two", b"X-One", b"Idempotency-Key"])
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=8).map(str.encode)
HEADERS = st.lists(st.tuples(NAMES, VALUES), max_size=5)
TARGETS = st.text(st.sampled_from("abz019-._~%/?&="), max_size=12).map(lambda t: b"/" + t.encode())


def fields(headers: list[Field]) -> list[Header]:
    """As the house carries them."""
    return [header(name, value) for name, value in headers]


def read(peer: h11.Connection, data: bytes) -> tuple[h11.Request | h11.Response, bytes]:
    """The one message that `data` is: its head, its body, and nothing behind it."""
    peer.receive_data(data)
    head = peer.next_event()
    assert isinstance(head, h11.Request | h11.Response)
    body = b""
    while not isinstance(event := peer.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        body += bytes(event.data)
    assert peer.trailing_data == (b"", False)
    return head, body


def raw(head: h11.Request | h11.Response) -> list[Field]:
    """Its headers as they were spelled."""
    return list(head.headers.raw_items())


@given(
    st.sampled_from([b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS"]),
    TARGETS, HEADERS, st.binary(max_size=40),
)  # fmt: skip
def test_a_request_is_read_as_it_was_meant(
    method: bytes, target: bytes, headers: list[Field], body: bytes
) -> None:
    """One message: the fixed lines, then the headers in order and spelling, then one length."""
    fixed = b"Host: api.example.com\r\nAuthorization: Bearer x\r\n"
    data = wire.encode_request(method, target, fixed, fields(headers), body)
    head, received = read(h11.Connection(h11.SERVER), data)
    assert isinstance(head, h11.Request)
    assert (head.method, head.target, head.http_version) == (method, target, b"1.1")
    assert received == body
    length = [(b"Content-Length", b"%d" % len(body))]
    framed = length if body or method in (b"POST", b"PUT", b"PATCH") else []
    own = [(b"Host", b"api.example.com"), (b"Authorization", b"Bearer x")]
    assert raw(head) == own + headers + framed


@pytest.mark.parametrize("method", [b"POST", b"PUT", b"PATCH"])
def test_methods_that_mean_a_body_say_that_it_is_empty(method: bytes) -> None:
    """RFC 9110 8.6: many partners answer 411 to a POST without a length."""
    data = wire.encode_request(method, b"/", b"Host: a\r\n", [], b"")
    assert data.endswith(b"\r\nContent-Length: 0\r\n\r\n")


@settings(max_examples=200)
@given(
    st.sampled_from([200, 201, 302, 404, 409, 429, 500, 503, 599]), HEADERS,
    st.binary(max_size=40), st.booleans(),
)  # fmt: skip
def test_a_response_is_read_as_it_was_meant(
    status: int, headers: list[Field], body: bytes, close: bool
) -> None:
    """One message with one length; `Connection: close` exactly when the connection closes."""
    data = wire.encode_response(Response(status, fields(headers), body), head=False, close=close)
    peer = h11.Connection(h11.CLIENT)
    peer.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    peer.send(h11.EndOfMessage())
    head, received = read(peer, data)
    assert isinstance(head, h11.Response)
    assert (head.status_code, received) == (status, body)
    ours = [(b"Content-Length", b"%d" % len(body))]
    assert raw(head) == headers + ours + ([(b"Connection", b"close")] if close else [])


@pytest.mark.parametrize(("status", "head"), [(204, False), (304, False), (200, True), (204, True)])
def test_where_no_body_may_be_there_is_none(status: int, head: bool) -> None:
    """Not even if somebody puts one there: it would be read as the next answer."""
    response = Response(status, [header(b"ETag", b"x")], b"HTTP/1.1 200 OK\r\n\r\n")
    data = wire.encode_response(response, head=head, close=False)
    assert data.partition(b"\r\n")[2] == b"ETag: x\r\n\r\n"


def test_the_length_that_a_head_was_told_passes() -> None:
    """It is the partner's word about the body that a GET would get."""
    response = Response(200, [header(b"Content-Length", b"300")], b"")
    data = wire.encode_response(response, head=True, close=False)
    assert data == b"HTTP/1.1 200 OK\r\nContent-Length: 300\r\n\r\n"


def test_every_status_has_a_line() -> None:
    """Also those that Python has no phrase for; a status line ends in its CRLF."""
    for status in range(100, 600):
        data = wire.encode_response(Response(status, [], b""), head=True, close=False)
        version, code, phrase = data.removesuffix(b"\r\n\r\n").split(b" ", 2)
        assert (version, code) == (b"HTTP/1.1", b"%d" % status)
        assert phrase.decode().isprintable()
        assert phrase
    assert wire.CONTINUE == b"HTTP/1.1 100 Continue\r\n\r\n"
