"""Rules for one outbound exchange: what was sent, and what is in doubt.

Time and transport are fakes here; test_client_sockets.py has the real ones.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest

from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import START, VirtualLoop
from tests.unit.http1.line import OK, REQUEST, Line

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def test_a_request_is_written_once_and_whole(loop: VirtualLoop) -> None:
    """In one write, at once; the record says when, and that the connection was fresh."""
    line = Line(loop)
    line.send()
    assert (line.transport.written, line.transport.writes) == (REQUEST, 1)
    assert (line.progress.sent_at, line.progress.reused) == (START, False)


def test_a_deadline_that_has_passed_sends_nothing(loop: VirtualLoop) -> None:
    """A process that slept through its deadline must not send; the connection is as good as new."""
    line = Line(loop)
    loop.instant += 60.0
    line.send()
    assert line.failure == Failure(Phase.SEND, "deadline", sent=False)
    assert (line.transport.writes, line.progress.sent_at) == (0, 0.0)
    assert line.owner.told == ["freed"]
    assert not line.connection.used


def test_after_the_instant_that_the_journal_has_nothing_is_sent(loop: VirtualLoop) -> None:
    """The deadline is not over, but another sidecar may have taken the call over."""
    line = Line(loop)
    line.send(send_by=START + 1.0, deadline_at=START + 60.0)
    line.receive(OK)
    loop.instant += 2.0
    line.send(send_by=START + 1.0, deadline_at=START + 60.0)
    assert line.failure == Failure(Phase.SEND, "paused", sent=False)
    assert line.transport.writes == 1


@pytest.mark.parametrize("how", ["abort", "lose", "close"])
def test_a_closed_connection_sends_nothing(loop: VirtualLoop, how: str) -> None:
    """The last look is right before the write."""
    line = Line(loop)
    {"abort": line.connection.abort, "lose": line.lose, "close": line.transport.close}[how]()
    line.send()
    assert line.failure == Failure(Phase.SEND, "closed", sent=False)
    assert (line.transport.writes, line.progress.sent_at) == (0, 0.0)


def alert(reason: str) -> ssl.SSLError:
    """As OpenSSL raises it."""
    error = ssl.SSLError()
    error.reason = reason
    return error


BREAKS: dict[str, tuple[Callable[[Line], None], str]] = {
    "FIN": (Line.end, "closed"),
    "a transport that just ends": (Line.lose, "closed"),
    "RST": (lambda line: line.lose(ConnectionResetError()), "reset"),
    "a TLS alert": (lambda line: line.lose(ssl.SSLError()), "tls_alert"),
    "a TLS alert about our certificate": (
        lambda line: line.lose(alert("TLSV13_ALERT_CERTIFICATE_REQUIRED")),
        "client_certificate_required",
    ),
    "the pool's abort": (lambda line: line.connection.abort(), "closed"),
}


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 200", OK[:-1]], ids=["silent", "head", "body"])
@pytest.mark.parametrize("name", BREAKS)
def test_whatever_breaks_after_the_write_is_in_doubt(
    loop: VirtualLoop, name: str, begun: bytes
) -> None:
    """Even with nothing received: the bytes may have left, so `sent` is never False again."""
    line = Line(loop)
    line.send()
    line.receive(begun) if begun else None
    act, reason = BREAKS[name]
    act(line)
    loop.settle()
    assert line.failure == Failure(Phase.BODY if begun else Phase.FIRST_BYTE, reason, sent=True)
    assert line.connection.closed
    assert line.owner.told == ["lost"]


UNTRUSTED: dict[str, tuple[bytes, str]] = {
    "another protocol": (b"SSH-2.0-x\r\n\r\n", "malformed"),
    "a length and chunks": (OK.replace(b"\r\n\r\n", b"\r\nTransfer-Encoding: chunked\r\n\r\n"),
                            "malformed"),
    "a broken chunk": (CHUNKED + b" 1\r\n", "malformed"),
    "a switch of protocols": (b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
                              "protocol_switch"),
    "an endless head": (b"HTTP/1.1 200 x\r\nA: " + b"a" * 500, "header_bytes_max"),
    "a head that is too large": (b"HTTP/1.1 200 x\r\nA: " + b"a" * 500 + b"\r\n\r\n",
                                 "header_bytes_max"),
    "a length beyond the bound": (b"HTTP/1.1 200 x\r\nContent-Length: 65\r\n\r\n",
                                  "body_bytes_max"),
    "a chunk beyond the bound": (CHUNKED + b"41\r\n", "body_bytes_max"),
    "an endless body": (b"HTTP/1.1 200 x\r\n\r\n" + b"a" * 65, "body_bytes_max"),
}  # fmt: skip


@pytest.mark.parametrize("name", UNTRUSTED)
def test_an_answer_that_cannot_be_understood_is_in_doubt(loop: VirtualLoop, name: str) -> None:
    """And its connection is cut, however the bytes were grouped."""
    data, reason = UNTRUSTED[name]
    for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
        line = Line(loop)
        line.send(allow_eof_body=True)
        line.receive(*pieces)
        assert line.failure == Failure(Phase.BODY, reason, sent=True)
        assert line.is_cut()


def test_our_own_cut_is_no_end_of_an_answer(loop: VirtualLoop) -> None:
    """The drain cuts what lingers: a partner that never ended its body has not answered."""
    line = Line(loop)
    line.send(allow_eof_body=True)
    line.receive(b"HTTP/1.1 200 OK\r\n\r\npartial")
    line.connection.abort()
    loop.settle()
    assert (line.failure.reason, line.failure.sent) == ("closed", True)
