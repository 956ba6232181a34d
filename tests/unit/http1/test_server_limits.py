"""Rules for what an inbound connection may cost: refusals, deadlines, slow readers.

In these tests a head may take 2 s, a body 3 s, silence 10 s, and an unread answer 5 s.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.http1.request_head import Reject
from tests.unit.http1.door import Door, Visitor, reply, request
from tests.unit.http1.fakes import VirtualLoop

CHUNKED = request(b"POST", b"Transfer-Encoding: chunked")


def enter(loop: VirtualLoop) -> tuple[Door, Visitor]:
    """An edge with one connection."""
    door = Door(loop)
    return door, Visitor(door)


REFUSED: dict[str, tuple[bytes, int, str]] = {
    "grammar": (request(b"GET", b"A : b"), 400, "grammar"),
    "a request line, before its headers": (b"GET / RTSP/1.0\r\n", 400, "request_line"),
    "a bare line feed, before the end of the head": (b"GET / HTTP/1.1\r\nA: b\n", 400, "grammar"),
    "a version, before its headers": (b"GET / HTTP/2.0\r\n", 505, "http_version"),
    "an endless request line": (b"GET /" + b"a" * 124, 414, "request_line_bytes_max"),
    "a long request line": (request(path=b"/" + b"a" * 128), 414, "request_line_bytes_max"),
    "an endless head": (request()[:-2] + b"A: " + b"a" * 512, 431, "header_bytes_max"),
    "a large head": (request(b"GET", b"A: " + b"a" * 512), 431, "header_bytes_max"),
    "a large head with a bad line": (b"GET / RTSP/1.0\r\nA: " + b"a" * 512 + b"\r\n\r\n", 400,
                                     "request_line"),
    "a large body": (request(b"POST", b"Content-Length: 65"), 413, "body_bytes_max"),
    "a large chunk": (CHUNKED + b"41\r\n", 413, "body_bytes_max"),
    "a broken chunk": (CHUNKED + b" 1\r\n", 400, "chunked"),
    "trailers": (CHUNKED + b"0\r\nA: b\r\n", 400, "trailers"),
}  # fmt: skip


@pytest.mark.parametrize("split", [False, True])
@pytest.mark.parametrize("name", REFUSED)
def test_a_refusal_can_be_read(loop: VirtualLoop, name: str, split: bool) -> None:
    """One answer that closes, our FIN, and then the sender is heard out but not listened to."""
    wire, status, reason = REFUSED[name]
    door, visitor = enter(loop)
    for piece in [wire[at : at + 1] for at in range(len(wire))] if split else [wire]:
        visitor.send(piece)
    got = visitor.got()
    assert got.startswith(b"HTTP/1.1 %d " % status)
    assert got.endswith(b"\r\nConnection: close\r\n\r\n" + reason.encode())
    assert door.rejects == [Reject(status, reason)]
    assert visitor.transport.ended
    assert not visitor.transport.is_closing()
    visitor.send(request(), b"a" * 100_000)
    assert (visitor.got(), door.calls) == (b"", [])
    visitor.end()
    assert visitor.transport.was_closed()
    assert door.edge.connections == set()


def test_a_refused_head_gets_no_body(loop: VirtualLoop) -> None:
    """Its sender would take the text for the beginning of another answer."""
    _, visitor = enter(loop)
    visitor.send(request(b"HEAD", b"A : b"))
    assert visitor.got() == b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n"
    assert visitor.transport.ended


def test_a_refused_sender_is_not_heard_for_ever(loop: VirtualLoop) -> None:
    """After a second the connection is cut, whatever it still sends."""
    door, visitor = enter(loop)
    visitor.send(b"GET / RTSP/1.0\r\n")
    loop.advance(0.9)
    visitor.send(b"more")
    loop.advance(0.1)
    assert visitor.transport.was_aborted()
    assert door.edge.connections == set()


def test_a_refused_sender_that_has_gone_is_no_error(loop: VirtualLoop) -> None:
    """Asyncio cannot shut down a socket that its peer has reset; then it is simply cut."""
    _, visitor = enter(loop)
    visitor.transport.ending_fails = True
    visitor.send(b"GET / RTSP/1.0\r\n")
    assert visitor.transport.was_aborted()


def test_a_refusal_behind_a_good_request_keeps_the_order(loop: VirtualLoop) -> None:
    """The first gets its answer, the second its refusal, and reading goes on so that it is read."""
    door, visitor = enter(loop)
    visitor.send(request(), b"GET / RTSP/1.0\r\n\r\n")
    assert not visitor.transport.is_reading()
    assert visitor.got() == b""
    door.answer(b"1")
    first, _, second = visitor.got().partition(reply(b"1"))
    assert first == b""
    assert second == reply(b"request_line", status=400, close=True)
    assert visitor.transport.is_reading()


# -- deadlines --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("begun", "more", "seconds", "reason"),
    [
        (b"G", b"E", 2.0, "timeout_header"),
        (request()[:-1], b"", 2.0, "timeout_header"),
        (request(b"POST", b"Content-Length: 60"), b"a", 3.0, "timeout_body"),
        (CHUNKED, b"1\r\na\r\n", 3.0, "timeout_body"),
    ],
)
def test_a_request_has_its_time(
    loop: VirtualLoop, begun: bytes, more: bytes, seconds: float, reason: str
) -> None:
    """From its first byte; bytes that trickle in do not extend it. Then 408, and the end."""
    door, visitor = enter(loop)
    loop.advance(9.0)
    visitor.send(begun)
    for _ in range(int(seconds)):
        loop.advance(0.95)
        visitor.send(more) if more else None
        assert visitor.got() == b""
    loop.advance(0.05 * seconds)
    assert visitor.got() == reply(reason.encode(), status=408, close=True)
    assert door.calls == []


def test_silence_has_its_time(loop: VirtualLoop) -> None:
    """Before the first request and between two; its end is no error and says nothing."""
    door, visitor = enter(loop)
    loop.advance(9.9)
    visitor.send(request())
    loop.advance(60.0)
    door.answer()
    visitor.got()
    loop.advance(9.9)
    assert not visitor.transport.is_closing()
    loop.advance(0.1)
    assert visitor.transport.was_closed()
    assert visitor.got() == b""
    assert door.rejects == []


def test_a_call_at_work_has_no_deadline_of_the_edge(loop: VirtualLoop) -> None:
    """Time for it is the stack's affair; the connection waits."""
    door, visitor = enter(loop)
    visitor.send(request())
    loop.advance(1000.0)
    door.answer(b"late")
    assert visitor.got() == reply(b"late")


@pytest.mark.parametrize(
    "how", [Visitor.lose, Visitor.end, lambda visitor: visitor.connection.abort()]
)
def test_a_connection_that_ends_leaves_no_timer(
    loop: VirtualLoop, how: Callable[[Visitor], None]
) -> None:
    """A timer would hold the connection, and all it had read, until it wakes."""
    _, visitor = enter(loop)
    visitor.send(b"GET")
    assert loop.timers()
    how(visitor)
    loop.settle()
    assert loop.timers() == []


@pytest.mark.parametrize("piece_bytes", [1, 1000])
@pytest.mark.parametrize("spare", [0, -1])
def test_a_head_may_be_exactly_as_large_as_allowed(
    loop: VirtualLoop, piece_bytes: int, spare: int
) -> None:
    """Its empty line included, and not a byte larger, however it comes."""
    wire = request(b"GET", b"A: b")
    door = Door(loop, header_bytes_max=len(wire) + spare)
    Visitor(door).send(*[wire[at : at + piece_bytes] for at in range(0, len(wire), piece_bytes)])
    assert (len(door.calls), len(door.rejects)) == ((1, 0) if spare == 0 else (0, 1))


# -- slow readers ------------------------------------------------------------------------


def test_who_does_not_read_is_not_answered_further(loop: VirtualLoop) -> None:
    """The next request waits in the kernel until the application has caught up."""
    door, visitor = enter(loop)
    visitor.send(request())
    visitor.connection.pause_writing()
    door.answer(b"1")
    visitor.send(request())
    assert len(door.calls) == 1
    assert not visitor.transport.is_reading()
    visitor.connection.resume_writing()
    loop.settle()
    assert len(door.calls) == 2
    door.answer(b"2")
    assert visitor.got() == reply(b"1") + reply(b"2")
    assert visitor.transport.is_reading()


def test_who_never_reads_is_cut(loop: VirtualLoop) -> None:
    """After the time for writing, unread answer or not."""
    door, visitor = enter(loop)
    visitor.send(request())
    door.answer(b"1")
    visitor.connection.pause_writing()
    loop.advance(4.9)
    assert not visitor.transport.is_closing()
    loop.advance(0.1)
    assert visitor.transport.was_aborted()


def test_who_does_not_take_its_last_answer_is_cut(loop: VirtualLoop) -> None:
    """A closing connection waits for its answer to leave, but not for ever."""
    door, visitor = enter(loop)
    visitor.send(request(b"GET", b"Connection: close"))
    visitor.transport.unsent = 1
    door.answer(b"1")
    assert not visitor.transport.was_aborted()
    loop.advance(5.0)
    assert visitor.transport.was_aborted()
    assert door.edge.connections == set()


@pytest.mark.parametrize("begun", [request(b"POST", b"Content-Length: 2"), CHUNKED, request()[:-1]])
def test_a_pause_does_not_stop_the_clock_of_a_request(loop: VirtualLoop, begun: bytes) -> None:
    """Uvloop tells of a full socket only after the next request was begun to be read."""
    door, visitor = enter(loop)
    visitor.send(request(), begun)
    door.answer(b"1")
    loop.advance(1.0)
    visitor.connection.pause_writing()
    visitor.connection.resume_writing()
    loop.advance(2.0)
    visitor.got()
    assert [reject.status for reject in door.rejects] == [408]
