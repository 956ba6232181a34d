"""Rules for one outbound exchange: what was sent, what is an answer, and whose answer it is.

Time and transport are fakes here; test_client_sockets.py has the real ones.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import START, VirtualLoop
from tests.unit.http1.line import OK, REQUEST, Line

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EOF_BODY = b"HTTP/1.1 200 OK\r\n\r\nabc"

# -- sent or not ----------------------------------------------------------------


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


@pytest.mark.parametrize("how", ["abort", "lose", "close"])
def test_a_closed_connection_sends_nothing(loop: VirtualLoop, how: str) -> None:
    """The last look is right before the write."""
    line = Line(loop)
    {"abort": line.connection.abort, "lose": line.lose, "close": line.transport.close}[how]()
    line.send()
    assert line.failure == Failure(Phase.SEND, "closed", sent=False)
    assert (line.transport.writes, line.progress.sent_at) == (0, 0.0)


BREAKS: dict[str, tuple[Callable[[Line], None], str]] = {
    "FIN": (Line.end, "closed"),
    "a transport that just ends": (Line.lose, "closed"),
    "RST": (lambda line: line.lose(ConnectionResetError()), "reset"),
    "a TLS alert": (lambda line: line.lose(ssl.SSLError()), "tls_alert"),
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


# -- what an answer is ----------------------------------------------------------

ANSWERS: dict[str, tuple[bytes, int, bytes, bool]] = {
    "a length": (OK, 200, b"ok", True),
    "no body": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200, b"", True),
    "chunks": (CHUNKED + b"1\r\na\r\n2;x\r\nbc\r\n0\r\n\r\n", 200, b"abc", True),
    "trailers": (CHUNKED + b"1\r\na\r\n0\r\nA: b\r\n\r\n", 200, b"a", False),
    "204": (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", True),
    "304 with a length": (b"HTTP/1.1 304 x\r\nContent-Length: 9\r\n\r\n", 304, b"", True),
    "closing": (OK.replace(b"OK\r\n", b"OK\r\nConnection: close\r\n"), 200, b"ok", False),
    "HTTP/1.0": (OK.replace(b"1.1", b"1.0"), 200, b"ok", False),
    "after 100": (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok", True),
    "after 102 and 103": (b"HTTP/1.1 102 x\r\n\r\nHTTP/1.1 103 x\r\nLink: a\r\n\r\n" + OK,
                          200, b"ok", True),
    "408 on a fresh connection": (OK.replace(b"200", b"408"), 408, b"ok", True),
}  # fmt: skip


@pytest.mark.parametrize("name", ANSWERS)
@settings(max_examples=10)
@given(data=st.data())
def test_an_answer_is_the_same_at_every_split(name: str, data: st.DataObject) -> None:
    """One complete answer, and the connection serves on if nothing about it was odd."""
    wire, status, body, serves_on = ANSWERS[name]
    cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=3)))
    loop = VirtualLoop()
    line = Line(loop)
    line.send()
    for start, end in zip([0, *cuts], [*cuts, len(wire)], strict=True):
        assert not line.answer.done()
        line.receive(wire[start:end])
    assert (line.response.status, line.response.body) == (status, body)
    loop.settle()
    assert line.owner.told == (["freed"] if serves_on else ["lost"])
    assert line.is_cut() is not serves_on
    loop.end()


@pytest.mark.parametrize("piece_bytes", [1, 1000])
@pytest.mark.parametrize(("spare", "reason"), [(0, None), (-1, "header_bytes_max")])
def test_a_head_may_be_exactly_as_large_as_allowed(
    loop: VirtualLoop, piece_bytes: int, spare: int, reason: str | None
) -> None:
    """Its empty line included, and not a byte larger, however it comes."""
    end = OK.index(b"ok")
    line = Line(loop, header_bytes_max=end + spare)
    line.send()
    line.receive(*[OK[at : at + piece_bytes] for at in range(0, len(OK), piece_bytes)])
    result = line.answer.result()
    assert (result.reason if isinstance(result, Failure) else None) == reason


@pytest.mark.parametrize("piece_bytes", [1, 1000])
@pytest.mark.parametrize("framing", ["length", "chunks", "end"])
@pytest.mark.parametrize("size", [64, 65])
def test_a_body_may_be_exactly_as_large_as_allowed(
    loop: VirtualLoop, framing: str, size: int, piece_bytes: int
) -> None:
    """Not a byte larger, however it is framed and however it comes."""
    body = b"a" * size
    wire = {
        "length": b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size + body,
        "chunks": CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (size, body),
        "end": EOF_BODY.replace(b"abc", body),
    }[framing]
    line = Line(loop)
    line.send(allow_eof_body=True)
    line.receive(*[wire[at : at + piece_bytes] for at in range(0, len(wire), piece_bytes)])
    line.end()
    if size == 64:
        assert line.response.body == body
    else:
        assert line.failure == Failure(Phase.BODY, "body_bytes_max", sent=True)


def test_bytes_before_an_answer_spoil_it(loop: VirtualLoop) -> None:
    """Also when the answer itself comes in a segment of its own."""
    line = Line(loop)
    line.send()
    line.receive(b"\r\n", OK)
    assert line.failure == Failure(Phase.BODY, "malformed", sent=True)


def test_an_answer_to_head_ends_with_its_head(loop: VirtualLoop) -> None:
    """Its length is that of a body that does not come; the next answer is the next one's."""
    line = Line(loop)
    for _ in range(2):
        line.send(head_request=True)
        line.receive(OK.removesuffix(b"ok"))
        assert (line.response.status, line.response.body) == (200, b"")
        assert line.response.headers[-1][2] == b"2"
    assert line.owner.told == ["freed", "freed"]


@pytest.mark.parametrize("stray", [b"\r\n", b"x", OK])
def test_stray_bytes_behind_an_answer_leave_it_an_answer(loop: VirtualLoop, stray: bytes) -> None:
    """An acknowledged charge is not lost for them; but nothing more is read from the connection."""
    line = Line(loop)
    line.send()
    line.receive(OK + stray)
    assert line.response.body == b"ok"
    assert line.is_cut()
    assert line.owner.told == ["lost"]


def test_an_answer_may_come_before_the_request_has_left(loop: VirtualLoop) -> None:
    """It counts; but a connection with half a request on it serves nobody any more."""
    line = Line(loop)
    line.send()
    line.transport.unsent = 1
    line.receive(OK)
    assert line.response.status == 200
    assert line.is_cut()


def test_the_end_may_end_an_answer_where_the_route_allows_it(loop: VirtualLoop) -> None:
    """Then FIN completes it; a reset never does."""
    line = Line(loop)
    line.send(allow_eof_body=True)
    line.receive(EOF_BODY)
    assert not line.answer.done()
    line.end()
    assert (line.response.status, line.response.body) == (200, b"abc")
    assert line.owner.told == ["lost"]
    line = Line(loop)
    line.send(allow_eof_body=True)
    line.receive(EOF_BODY)
    line.lose(ConnectionResetError())
    assert line.failure.reason == "reset"


def test_the_end_ends_nothing_where_the_route_does_not_allow_it(loop: VirtualLoop) -> None:
    """A cut body looks the same, so the call is in doubt."""
    line = Line(loop)
    line.send()
    line.receive(EOF_BODY)
    line.end()
    assert line.failure == Failure(Phase.BODY, "ends_by_eof", sent=True)


def test_the_end_never_completes_a_body_that_was_announced(loop: VirtualLoop) -> None:
    """Neither a length that was not reached, nor chunks without the last, whatever is allowed."""
    for wire in (OK[:-1], CHUNKED + b"1\r\na\r\n"):
        line = Line(loop)
        line.send(allow_eof_body=True)
        line.receive(wire)
        line.end()
        assert line.failure == Failure(Phase.BODY, "closed", sent=True)
