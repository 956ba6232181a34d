"""Messages on the inbound edge: what a well-behaved application may expect."""

from __future__ import annotations

import threading
import time

import pytest

from tests.support.client import request
from tests.support.peer import Peer, answer
from tests.wire.conftest import House

CHUNKED = (
    b"POST /one/x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
)


def test_a_connection_serves_many_calls(house: House) -> None:
    """Keep-alive: calls one after the other on one connection are all answered."""
    with house.client() as client:
        for number in range(5):
            reply = client.call("POST", f"/one/{number}", b"%d" % number)
            assert (reply.status, reply.body, reply.outcome) == (200, b"ok", "answered")
    assert [each.body for each in house.one.received] == [b"0", b"1", b"2", b"3", b"4"]


def test_pipelined_calls_are_answered_in_order(house: House) -> None:
    """A slow first call does not let a quick second one overtake its answer."""

    def script(peer: Peer) -> None:
        received = peer.read_request()
        time.sleep(0.1 if received.target.endswith("0") else 0)
        peer.send(answer(200, received.target.encode()))

    house.one.forget(script)
    with house.client() as client:
        client.send(b"".join(request("POST", f"/one/{number}") for number in range(4)))
        bodies = [client.receive().body for _ in range(4)]
    assert bodies == [b"/one/0", b"/one/1", b"/one/2", b"/one/3"]


def test_a_refusal_comes_after_the_answers_before_it(house: House) -> None:
    """Bad bytes behind a good call refuse themselves, and not the call."""
    with house.client() as client:
        client.send(request("POST", "/one/x") + b"GARBAGE\r\n\r\n")
        assert client.receive().status == 200
        assert client.receive().status == 400
        assert client.at_end()


def test_expect_continue_is_answered_before_the_body(house: House) -> None:
    """An application that waits for 100 gets it, and its body reaches the partner."""
    with house.client() as client:
        head = request("POST", "/one/x", None, [("Expect", "100-continue")])
        client.send(head[:-2] + b"Content-Length: 5\r\n\r\n")
        assert client.receive().status == 100
        client.send(b"hello")
        assert client.receive().status == 200
    [received] = house.one.received
    assert received.body == b"hello"
    assert received.header("expect") is None


def test_any_other_expectation_is_refused(house: House) -> None:
    """417, and the partner never sees the call."""
    with house.client() as client:
        reply = client.call("POST", "/one/x", b"", [("Expect", "a-miracle")])
    assert (reply.status, reply.outcome) == (417, "refused")
    assert house.one.received == []


def test_a_reply_to_head_has_no_body(house: House) -> None:
    """HEAD: the length of the answer without the answer, and the connection serves on."""
    house.one.forget(lambda peer: peer.send(_headless(peer)))
    with house.client() as client:
        reply = client.call("HEAD", "/one/x", None)
        assert (reply.status, reply.header("content-length"), reply.body) == (200, "77", b"")
        assert client.call("HEAD", "/one/x", None).status == 200


def _headless(peer: Peer) -> bytes:
    peer.read_request()
    return b"HTTP/1.1 200 OK\r\nContent-Length: 77\r\n\r\n"


@pytest.mark.parametrize("status", [204, 304])
def test_statuses_without_body(house: House, status: int) -> None:
    """204 and 304 pass without a body, and the connection serves on."""

    def script(peer: Peer) -> None:
        peer.read_request()
        peer.send(b"HTTP/1.1 %d X\r\nETag: x\r\n\r\n" % status)

    house.one.forget(script)
    with house.client() as client:
        for _ in range(2):
            reply = client.call("GET", "/one/x", None)
            assert (reply.status, reply.body, reply.header("etag")) == (status, b"", "x")


def test_a_chunked_body_arrives_whole_and_with_a_length(house: House) -> None:
    """Chunks are read to the end and framed anew by Content-Length."""
    with house.client() as client:
        client.send(CHUNKED)
        assert client.receive().status == 200
    [received] = house.one.received
    assert received.body == b"hello world"
    assert received.all("content-length") == ["11"]
    assert received.all("transfer-encoding") == []


def test_a_body_arrives_byte_for_byte_however_it_is_split(house: House) -> None:
    """One byte per segment makes no difference."""
    with house.client() as client:
        for at in range(len(CHUNKED)):
            client.send(CHUNKED[at : at + 1])
        assert client.receive().status == 200
    assert house.one.received[0].body == b"hello world"


def test_a_large_body_passes_unchanged(house: House) -> None:
    """A body up to the bound is buffered and sent on."""
    body = bytes(range(256)) * 4000
    assert house.call("PUT", "/one/x", body).status == 200
    assert house.one.received[0].body == body


def test_a_half_closing_application_gets_its_answer(house: House) -> None:
    """Saying that nothing more will be sent is not hanging up."""

    def script(peer: Peer) -> None:
        peer.read_request()
        time.sleep(0.05)
        peer.send(answer(200, b"late"))

    house.one.forget(script)
    with house.client() as client:
        client.send(request("POST", "/one/x", b"{}"))
        client.half_close()
        assert client.receive().body == b"late"
        assert client.at_end()


def test_an_offer_of_h2c_is_ignored_and_the_body_still_read(house: House) -> None:
    """Java's HttpClient offers h2c with every call: its charge must not arrive empty."""
    headers = [
        ("Connection", "Upgrade, HTTP2-Settings"),
        ("Upgrade", "h2c"),
        ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
    ]
    with house.client() as client:
        for body in (b'{"amount":1}', b'{"amount":2}'):
            assert client.call("POST", "/one/x", body, headers).status == 200
    assert [each.body for each in house.one.received] == [b'{"amount":1}', b'{"amount":2}']
    for received in house.one.received:
        assert not [name for name, _ in received.headers if name in ("upgrade", "connection")]
        assert received.header("http2-settings") is None


def test_hanging_up_does_not_stop_a_sent_attempt(house: House) -> None:
    """The attempt is no longer the caller's: the partner is not cut off, the ending is logged."""
    arrived, hung_up, answered = threading.Event(), threading.Event(), threading.Event()
    cut: list[bool] = []

    def script(peer: Peer) -> None:
        peer.read_request()
        arrived.set()
        assert hung_up.wait(5)
        peer.socket.settimeout(0.2)
        try:
            cut.append(peer.socket.recv(1) == b"")
        except TimeoutError:
            cut.append(False)
        peer.send(answer(200, b"paid"))
        answered.set()

    house.one.forget(script)
    client = house.client()
    client.send(request("POST", "/one/x", b'{"amount":5}'))
    assert arrived.wait(5)
    client.reset()
    hung_up.set()
    assert answered.wait(5)
    assert cut == [False]
    for _ in range(400):
        ended = [line for line in house.sidecar.log_lines() if line["bytes_out"] == 4]
        if ended:
            break
        time.sleep(0.01)
    assert ended[-1]["outcome"] == "answered"


def test_one_call_becomes_one_canonical_request(house: House) -> None:
    """Hop-by-hop and Connection-named headers stay here; the rest passes, nothing is added."""
    headers = [
        ("Connection", "keep-alive, X-Private"),
        ("X-Private", "1"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Connection", "keep-alive"),
        ("TE", "trailers"),
        ("Tidegate-Deadline-Ms", "5000"),
        ("Tidegate-Anything", "x"),
        ("Idempotency-Key", "k-1"),
        ("X-Twice", "a"),
        ("X-Twice", "b"),
    ]
    assert house.call("POST", "/one/x?a=1&b=%2F", b"{}", headers).status == 200
    [received] = house.one.received
    assert received.target == "/one/x?a=1&b=%2F"
    assert received.header("host") == f"127.0.0.1:{house.one.port}"
    rest = [pair for pair in received.headers if pair[0] not in ("host", "traceparent")]
    assert rest == [
        ("idempotency-key", "k-1"),
        ("x-twice", "a"),
        ("x-twice", "b"),
        ("content-length", "2"),
    ]
