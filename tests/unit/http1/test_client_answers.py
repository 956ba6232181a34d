"""Rules for what an answer is, and whether its connection serves on afterwards."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.line import OK, Line

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
EOF_BODY = b"HTTP/1.1 200 OK\r\n\r\nabc"

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


@pytest.mark.parametrize("where", ["here", "below"])
def test_an_answer_may_come_before_the_request_has_left(loop: VirtualLoop, where: str) -> None:
    """It counts; but a connection with half a request on it serves nobody any more.

    Over TLS that half may have left the TLS transport and wait in the TCP one below.
    """
    line = Line(loop)
    line.send()
    (line.transport if where == "here" else line.transport.below).unsent = 1
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
