"""What the inbound edge refuses: short 4xx, 501 or 505, closed, and never on to a partner."""

from __future__ import annotations

import pytest

from tests.support.client import request
from tests.wire.conftest import (
    BODY_BYTES_MAX,
    HEADER_BYTES_MAX,
    HEADER_COUNT_MAX,
    LINE_BYTES_MAX,
    House,
)

CANARY = b"4111111111111111"
HOST = b"Host: localhost\r\n"
POST = b"POST /one/x HTTP/1.1\r\n" + HOST

LENIENT = {
    "HTTP/0.9": (b"GET /one/x HTTP/0.9\r\n" + HOST + b"\r\n", {400, 505}),
    "no version": (b"GET /one/x\r\n\r\n", {400, 505}),
    "HTTP/2.0": (b"GET /one/x HTTP/2.0\r\n" + HOST + b"\r\n", {505}),
    "preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", {400, 501, 505}),
    "GET RTSP/1.0": (b"GET /one/x RTSP/1.0\r\n" + HOST + b"\r\n", {400, 505}),
    "OPTIONS RTSP/1.1": (b"OPTIONS /one/x RTSP/1.1\r\n" + HOST + b"\r\n", {400, 505}),
    "POST RTSP/1.0": (b"POST /one/x RTSP/1.0\r\n" + HOST + b"\r\n", {400, 505}),
    "SOURCE ICE/1.0": (b"SOURCE /one/x ICE/1.0\r\n" + HOST + b"\r\n", {400, 501, 505}),
    "chunked on HTTP/1.0": (
        b"POST /one/x HTTP/1.0\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400},
    ),
    "gzip, chunked": (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", {400, 501}),
    "no Host": (b"GET /one/x HTTP/1.1\r\n\r\n", {400}),
    "no Host on HTTP/1.0": (b"GET /one/x HTTP/1.0\r\n\r\n", {400}),
    "two Hosts": (POST + HOST + b"\r\n", {400}),
    "underscore": (POST + b"X_Card: " + CANARY + b"\r\n\r\n", {400}),
    "0x80 in a value": (POST + b"X-Card: " + CANARY + b"\x80\r\n\r\n", {400}),
    "two spaces": (b"POST  /one/x HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "fragment": (b"POST /one/x#" + CANARY + b" HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "quote in the target": (b'POST /one/"x HTTP/1.1\r\n' + HOST + b"\r\n", {400}),
    "angle bracket in the target": (b"POST /one/<x> HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "non-ASCII target": (b"POST /one/\xc3\xa9 HTTP/1.1\r\n" + HOST + b"\r\n", {400}),
    "leading CRLF": (b"\r\n" + POST + b"\r\n", {400}),
    "leading LF": (b"\n" + POST + b"\r\n", {400}),
    "QUERY": (b"QUERY /one/x HTTP/1.1\r\n" + HOST + b"\r\n", {501}),
    "SOURCE": (b"SOURCE /one/x HTTP/1.1\r\n" + HOST + b"\r\n", {501}),
    "TRACE": (b"TRACE /one/x HTTP/1.1\r\n" + HOST + b"\r\n", {501}),
    "CONNECT": (b"CONNECT localhost:443 HTTP/1.1\r\n" + HOST + b"\r\n", {400, 501}),
    "trailer": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nX-Card: " + CANARY + b"\r\n\r\n",
        {400},
    ),
    "endless chunk extension": (
        POST + b"Transfer-Encoding: chunked\r\n\r\n1;a=" + CANARY * 1000,
        {400, 413, 431},
    ),
}
"""Each row of the table of what llhttp accepts in requests and we must not."""

SMUGGLING = {
    "length and chunked": (
        POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400},
    ),
    "two lengths": (POST + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\nhello", {400}),
    "equal lengths": (POST + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", {400}),
    "chunked twice": (
        POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        {400, 501},
    ),
    "bare LF": (POST.replace(b"\r\n", b"\n") + b"\n", {400}),
    "folded line": (POST + b"X-A: 1\r\n " + CANARY + b"\r\n\r\n", {400}),
    "space before the colon": (POST + b"X-A : " + CANARY + b"\r\n\r\n", {400}),
    "control byte": (POST + b"X-A: " + CANARY + b"\x12\r\n\r\n", {400}),
    "NUL": (POST + b"X-A: " + CANARY + b"\x00\r\n\r\n", {400}),
    "chunk size": (POST + b"Transfer-Encoding: chunked\r\n\r\n" + CANARY + b"z\r\n", {400, 413}),
    "target of another host": (
        b"POST http://other.test/one/x HTTP/1.1\r\n" + HOST + b"\r\n",
        {400, 421},
    ),
    "Host with userinfo": (b"POST /one/x HTTP/1.1\r\nHost: a@localhost\r\n\r\n", {400, 421}),
}


@pytest.mark.parametrize("name", [*LENIENT, *SMUGGLING])
def test_is_refused_and_closed_and_not_repeated(house: House, name: str) -> None:
    """A short refusal without the offending bytes, then the end; no partner hears of it."""
    data, statuses = (LENIENT | SMUGGLING)[name]
    with house.client() as client:
        client.send(data)
        reply = client.receive()
        assert reply.status in statuses
        assert reply.header("connection") == "close"
        assert CANARY not in reply.raw
        assert len(reply.raw) < 1000
        assert client.at_end()
    assert house.one.accepted == 0


def test_a_head_that_never_ends_is_cut_at_its_bound(house: House) -> None:
    """Header bytes are counted raw: one endless value is refused long before it fills memory."""
    with house.client() as client:
        client.send(POST + b"X-Card: " + CANARY * (HEADER_BYTES_MAX // 16 + 1))
        assert client.receive().status == 431


def test_bound_of_the_request_line(house: House) -> None:
    """414 above it, an answer below it."""
    with house.client() as client:
        assert client.call("GET", "/one/" + "x" * (LINE_BYTES_MAX - 200), None).status == 200
        assert client.call("GET", "/one/" + "x" * LINE_BYTES_MAX, None).status == 414
        assert client.at_end()


def test_bound_of_header_bytes(house: House) -> None:
    """431 above it, an answer below it."""
    with house.client() as client:
        small = [("X-Card", "x" * (HEADER_BYTES_MAX - 500))]
        assert client.call("GET", "/one/x", None, small).status == 200
        large = [("X-Card", "x" * HEADER_BYTES_MAX)]
        assert client.call("GET", "/one/x", None, large).status == 431
        assert client.at_end()


def test_bound_of_the_header_count(house: House) -> None:
    """431 above it, an answer below it."""
    with house.client() as client:
        few = [(f"X-{number}", "1") for number in range(HEADER_COUNT_MAX - 5)]
        assert client.call("GET", "/one/x", None, few).status == 200
        many = [(f"X-{number}", "1") for number in range(HEADER_COUNT_MAX + 1)]
        assert client.call("GET", "/one/x", None, many).status == 431
        assert client.at_end()


def test_bound_of_a_body_with_length(house: House) -> None:
    """413 before a byte of the body is read."""
    with house.client() as client:
        client.send(POST + b"Content-Length: %d\r\n\r\n" % (BODY_BYTES_MAX + 1))
        assert client.receive().status == 413
        assert client.at_end()
    assert house.one.accepted == 0


def test_bound_of_a_chunked_body(house: House) -> None:
    """413 when the chunks add up to more, however small each is."""
    with house.client() as client:
        client.send(POST + b"Transfer-Encoding: chunked\r\n\r\n")
        client.send((b"8000\r\n" + b"x" * 0x8000 + b"\r\n") * (BODY_BYTES_MAX // 0x8000 + 1))
        assert client.receive().status == 413
    assert house.one.accepted == 0


def test_absolute_form_reaches_the_partner_as_origin_form(house: House) -> None:
    """A target with the same authority as Host is taken, and only its path travels on."""
    data = request("GET", "http://localhost:80/one/x?y", None, host="localhost:80")
    with house.client() as client:
        client.send(data)
        assert client.receive().status == 200
    assert house.one.received[0].target == "/one/x?y"


def test_http_10_is_answered_and_closed(house: House) -> None:
    """HTTP/1.0 is still spoken, one call per connection."""
    with house.client() as client:
        client.send(b"POST /one/x HTTP/1.0\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}")
        assert client.receive().status == 200
        assert client.at_end()
    assert house.one.received[0].body == b"{}"
