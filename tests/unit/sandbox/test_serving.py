"""Rules for a partner's port without faults, seen on the wire."""

from __future__ import annotations

import json
from collections.abc import Callable

from proxy.sandbox.client import SandboxPartner
from tests.unit.sandbox.talk import ask, charge, connect, is_silent, read_answer, request

Rows = Callable[[], list[str]]


def test_answers_echo_the_nonce_and_tell_the_partners_own_time(
    processor: SandboxPartner, reference: str
) -> None:
    """Each answer of one connection carries the nonce of its own request, and a time in ms."""
    with connect(processor.port) as peer:
        for number in range(3):
            nonce = f"{reference}-{number}"
            peer.sendall(request(charge(nonce), nonce=nonce))
            answer = read_answer(peer)
            assert answer.headers["sandbox-nonce"] == nonce
            assert answer.body["nonce"] == nonce
            whole, _, decimals = answer.headers["sandbox-time-ms"].partition(".")
            assert 0 <= int(whole) < 10_000
            assert len(decimals) == 3


def test_a_nonce_in_the_body_serves_where_there_is_no_header(
    processor: SandboxPartner, reference: str
) -> None:
    """The header wins; without it the body's nonce is echoed in both places."""
    answer = ask(processor.port, charge(reference, nonce="in-body"))
    assert answer.headers["sandbox-nonce"] == answer.body["nonce"] == "in-body"


def test_pipelined_requests_are_answered_in_order(
    processor: SandboxPartner, reference: str
) -> None:
    """Two requests of one segment get two answers, each its own."""
    with connect(processor.port) as peer:
        both = [request(charge(f"{reference}-{n}"), nonce=f"{n}") for n in range(2)]
        peer.sendall(b"".join(both))
        first = read_answer(peer)
        rest = first.beyond or peer.recv(65536)
        assert first.body["reference"] == f"{reference}-0"
        assert b'"reference":"%s-1"' % reference.encode() in rest


def test_expect_100_continue_is_answered_before_the_body(
    processor: SandboxPartner, reference: str
) -> None:
    """A peer that waits for permission to send the body gets it."""
    content = json.dumps(charge(reference)).encode()
    with connect(processor.port) as peer:
        peer.sendall(
            b"POST /v1/charges HTTP/1.1\r\nHost: p\r\nExpect: 100-continue\r\n"
            b"Content-Length: %d\r\n\r\n" % len(content)
        )
        assert peer.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        peer.sendall(content)
        assert read_answer(peer).status == 200


def test_bytes_that_are_no_request_are_refused_without_repeating_them(
    processor: SandboxPartner,
) -> None:
    """A 400 with a fixed text, a closed connection, and a count: a good proxy never causes it."""
    before = processor.stats()["bad_requests"]
    with connect(processor.port) as peer:
        peer.sendall(b"POST /v1/charges HTTP/1.1\r\nX-Card\x01: 4111111111111111\r\n\r\n")
        answer = read_answer(peer)
        assert answer.status == 400
        assert answer.raw_body == b"bad request\n"
        assert peer.recv(1) == b""
    assert processor.stats()["bad_requests"] == before + 1


def test_the_card_number_reaches_neither_answer_nor_ledger(
    processor: SandboxPartner, reference: str
) -> None:
    """Only the scheme of a card is kept."""
    answer = ask(processor.port, charge(reference), key=reference)
    assert b"4111111111111111" not in answer.raw_body
    assert b"4111111111111111" not in processor.ledger_path.read_bytes()
    assert [row["scheme"] for row in processor.ledger() if row["reference"] == reference] == [
        "visa"
    ]


def test_the_connection_closes_when_the_peer_asks_for_it(
    processor: SandboxPartner, reference: str
) -> None:
    """With `Connection: close` the answer says so and an end follows; else the connection stays."""
    with connect(processor.port) as peer:
        peer.sendall(request(charge(reference)))
        assert "connection" not in read_answer(peer).headers
        assert is_silent(peer, 0.02)
        peer.sendall(
            b"GET /v1/charges?reference=x HTTP/1.1\r\nHost: p\r\nConnection: close\r\n\r\n"
        )
        assert read_answer(peer).headers["connection"] == "close"
        assert peer.recv(1) == b""


def test_an_answer_to_head_has_no_body(processor: SandboxPartner) -> None:
    """The length is told, nothing follows, and the connection serves the next request."""
    with connect(processor.port) as peer:
        peer.sendall(request(method="HEAD", path="/v1/charges?reference=x"))
        head = peer.recv(65536)
        assert head.startswith(b"HTTP/1.1 405 ")
        assert head.endswith(b"\r\n\r\n")
        peer.sendall(request(method="GET", path="/v1/charges?reference=x", nonce="next"))
        assert read_answer(peer).headers["sandbox-nonce"] == "next"
