"""Which bytes of a partner are an answer, and that an answer passes untouched."""

from __future__ import annotations

import gzip
import threading

import pytest

from tests.support import config
from tests.support.client import Client
from tests.support.origin import Origin
from tests.support.peer import Peer, always, answer
from tests.wire.conftest import ANSWER_BODY_BYTES_MAX, ANSWER_HEADER_BYTES_MAX, House, Start

NOT_AN_ANSWER = {
    "status 000": b"HTTP/1.1 000 X\r\nContent-Length: 2\r\n\r\nok",
    "status 099": b"HTTP/1.1 099 X\r\nContent-Length: 2\r\n\r\nok",
    "status 999": b"HTTP/1.1 999 X\r\nContent-Length: 2\r\n\r\nok",
    "status 20": b"HTTP/1.1 20 X\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/2.0": b"HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/0.9": b"HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "RTSP": b"RTSP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "ICE": b"ICE/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "no HTTP at all": b"ok\r\n\r\n",
    "leading CRLF": b"\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "101": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "until the end of the connection": b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nok",
    "length and chunked": (
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    "signed length": b"HTTP/1.1 200 OK\r\nContent-Length: +2\r\n\r\nok",
    "xchunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "gzip, chunked": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunk size with 0x": (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x2\r\nok\r\n0\r\n\r\n"
    ),
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "folded line": b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 2\r\n\r\nok",
    "space before the colon": b"HTTP/1.1 200 OK\r\nX-A : 1\r\nContent-Length: 2\r\n\r\nok",
    "NUL in a value": b"HTTP/1.1 200 OK\r\nX-A: \x00\r\nContent-Length: 2\r\n\r\nok",
    "length over the bound": (
        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % (ANSWER_BODY_BYTES_MAX + 1)
    ),
    "chunks over the bound": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    + b"4000\r\n%b\r\n" % (b"x" * 0x4000) * (ANSWER_BODY_BYTES_MAX // 0x4000 + 1),
    "endless head": b"HTTP/1.1 200 OK\r\nX-A: " + b"x" * (ANSWER_HEADER_BYTES_MAX + 1),
}


@pytest.mark.parametrize("name", NOT_AN_ANSWER)
def test_what_cannot_be_trusted_is_in_doubt(house: House, name: str) -> None:
    """The request has left and nobody knows what became of it: unknown, and not moved."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(NOT_AN_ANSWER[name])

    house.one.forget(script)
    reply = house.call("POST", "/two/x", b"{}")
    assert (reply.status, reply.outcome, reply.execution) == (502, "in_doubt", "unknown")
    assert reply.problem["execution"] == "unknown"
    assert house.other.accepted == 0


def test_an_answer_until_the_end_where_the_route_allows_it(house: House) -> None:
    """`allow_eof_body` accepts what can never be proven complete."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(NOT_AN_ANSWER["until the end of the connection"])

    house.one.forget(script)
    reply = house.call("POST", "/eof/x", b"{}")
    assert (reply.status, reply.outcome, reply.body) == (200, "answered", b"ok")


@pytest.mark.parametrize("stray", [b"x", b"\r\n", answer(200, b"other"), answer(408)])
def test_a_complete_answer_before_stray_bytes_is_an_answer(house: House, stray: bytes) -> None:
    """An acknowledged charge is not lost to what follows it; the connection is."""
    house.one.forget(always(answer(200, b"paid") + stray))
    with house.client() as client:
        for number in (1, 2):
            reply = client.call("POST", "/pool/x", b"{}")
            assert (reply.status, reply.outcome, reply.body) == (200, "answered", b"paid")
            assert house.one.accepted == number


@pytest.mark.parametrize("status", [204, 304])
def test_a_body_where_none_may_be_is_stray(house: House, status: int) -> None:
    """204 and 304 end with their head, whatever follows."""
    house.one.forget(always(b"HTTP/1.1 %d X\r\n\r\nbody" % status))
    reply = house.call("POST", "/pool/x", b"{}")
    assert (reply.status, reply.outcome, reply.body) == (status, "answered", b"")


def test_interim_answers_are_skipped(house: House) -> None:
    """100, 102 and 103 are not the answer, in one segment with it or before."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    house.one.forget(always(b"HTTP/1.1 102 Processing\r\n\r\n", interim + answer(200, b"paid")))
    reply = house.call("POST", "/one/x", b"{}")
    assert (reply.status, reply.body, reply.header("link")) == (200, b"paid", None)


@pytest.mark.parametrize("size", [1, 3])
def test_an_answer_in_small_pieces_is_whole(house: House, size: int) -> None:
    """How an answer is cut into segments makes no difference."""
    data = (
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\nX-Id: 7\r\n\r\n"
        b"4\r\npaid\r\nA;x=y\r\n0123456789\r\n0\r\n\r\n"
    )
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    house.one.forget(always(*pieces))
    reply = house.call("POST", "/one/x", b"{}")
    assert (reply.status, reply.body, reply.header("x-id")) == (201, b"paid0123456789", "7")


def test_an_early_answer_is_an_answer(start: Start) -> None:
    """A partner may answer before it has read the body: that counts, and the connection is cut."""
    cut = threading.Event()

    def script(peer: Peer) -> None:
        while b"\r\n\r\n" not in peer.buffer:
            peer.buffer += peer.read_some()
        peer.send(answer(413, b"too much"))
        peer.wait_closed()
        cut.set()

    with Origin(script, receive_bytes=4096) as origin:
        upstreams = {"one": config.upstream(origin.port)}
        listen = {"body_bytes_max": "16MiB"}
        sidecar = start(config.document(upstreams, [config.route("/", ["one"])], listen=listen))
        with Client(sidecar.payments) as client:
            reply = client.call("POST", "/x", b"x" * 8_000_000)
        assert (reply.status, reply.outcome, reply.body) == (413, "answered", b"too much")
        assert cut.wait(5)
        assert origin.accepted == 1


def test_compressed_answers_pass_untouched(house: House) -> None:
    """Nothing is decompressed here: what the partner signed or hashed stays as it is."""
    body = gzip.compress(b"paid" * 1000)
    house.one.forget(always(answer(200, body, [("Content-Encoding", "gzip")])))
    reply = house.call("POST", "/one/x", b"{}", [("Accept-Encoding", "gzip")])
    assert (reply.body, reply.header("content-encoding")) == (body, "gzip")
    assert house.one.received[0].header("accept-encoding") == "gzip"


def test_cookies_pass_and_are_never_sent_back(house: House) -> None:
    """The sidecar has no cookie jar: one payment's session is not another's."""
    cookies = [("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2; HttpOnly")]
    house.one.forget(always(answer(200, b"ok", cookies)))
    with house.client() as client:
        for _ in range(2):
            reply = client.call("POST", "/pool/x", b"{}")
            got = [value for name, value in reply.headers if name == "set-cookie"]
            assert got == ["a=1; Path=/", "b=2; HttpOnly"]
    assert [each.header("cookie") for each in house.one.received] == [None, None]


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_pass(house: House, status: int) -> None:
    """A redirect is the application's to follow, with its eyes open."""
    where = f"http://127.0.0.1:{house.other.port}/elsewhere"
    house.one.forget(always(answer(status, b"", [("Location", where)])))
    reply = house.call("POST", "/one/x", b"{}")
    assert (reply.status, reply.header("location")) == (status, where)
    assert house.other.accepted == 0


def test_an_answer_keeps_its_headers_and_loses_the_connections(house: House) -> None:
    """Hop-by-hop headers end here; everything else passes, in order, and nothing is added."""
    headers = [
        ("Connection", "X-Hop"),
        ("X-Hop", "1"),
        ("Keep-Alive", "timeout=9"),
        ("X-Id", "1"),
        ("X-Id", "2"),
        ("Server", "partner"),
    ]
    house.one.forget(always(answer(200, b"ok", headers)))
    reply = house.call("POST", "/one/x", b"{}")
    ours = [pair for pair in reply.headers if not pair[0].startswith("tidegate-")]
    assert ours == [("x-id", "1"), ("x-id", "2"), ("server", "partner"), ("content-length", "2")]


def test_the_partners_reason_phrase_stays_behind(house: House) -> None:
    """It may hold anything, control bytes included; the status line is our own."""
    house.one.forget(always(b"HTTP/1.1 402 4111\x01\xff\r\nContent-Length: 2\r\n\r\nno"))
    reply = house.call("POST", "/one/x", b"{}")
    assert reply.raw.startswith(b"HTTP/1.1 402 Payment Required\r\n")
    assert (reply.outcome, reply.body) == ("answered", b"no")


def test_trailers_of_an_answer_are_dropped(house: House) -> None:
    """A chunked answer with trailers is complete; the trailers do not become headers."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npaid\r\n0\r\n"
    house.one.forget(always(chunked + b"X-Status: evil\r\nContent-Length: 99\r\n\r\n"))
    with house.client() as client:
        for _ in range(2):
            reply = client.call("POST", "/pool/x", b"{}")
            assert (reply.status, reply.body, reply.header("x-status")) == (200, b"paid", None)
            assert reply.header("content-length") == "4"
