"""Rules for handing a request to the kernel over cleartext: at once, and what is true then."""

from __future__ import annotations

import socket

import pytest

from proxy.model.message import Failure
from proxy.model.phase import Phase
from tests.unit.http1.fakes import VirtualLoop, exchange
from tests.unit.http1.line import OK, REQUEST, Line


def fill(line: Line) -> int:
    """Fill the descriptor until the kernel takes no more; returns how much it took."""
    taken = 0
    while True:
        try:
            taken += line.transport.socket.send(b"x" * 65536)
        except BlockingIOError:
            return taken


def drain(peer: socket.socket, count: int) -> bytes:
    """Exactly so many bytes from the other end."""
    got = b""
    while len(got) < count:
        got += peer.recv(count - len(got))
    return got


def test_a_request_is_in_the_kernel_before_anything_else_happens(loop: VirtualLoop) -> None:
    """Not at the end of the tick, in which a stray answer could arrive ahead of it."""
    line = Line(loop, tls=False)
    line.send()
    assert line.transport.peer.recv(65536) == REQUEST
    assert line.transport.writes == 0
    line.receive(OK)
    assert line.response.body == b"ok"


def test_what_the_kernel_does_not_take_is_left_to_the_transport(loop: VirtualLoop) -> None:
    """Each byte once and in order, be it a part of the request or all of it."""
    for room in (0, 1000):
        line = Line(loop, tls=False)
        line.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        filled = fill(line)
        payload = bytes(range(256)) * 4000
        if room:
            drain(line.transport.peer, filled)
            filled = 0
        line.answer = line.connection.exchange(payload, exchange(line.progress, line.late.append))
        line.transport.peer.setblocking(False)
        direct = b""
        while True:
            try:
                direct += line.transport.peer.recv(1 << 20)
            except BlockingIOError:
                break
        assert (len(direct) > filled) is bool(room)
        assert direct[filled:] + line.transport.written == payload
        assert not line.answer.done()
        assert line.progress.sent_at


def test_what_the_kernel_refuses_is_unsent(loop: VirtualLoop) -> None:
    """A write that fails takes not one byte: the call may go elsewhere, and the record says so."""
    line = Line(loop, tls=False)
    line.transport.peer.close()
    line.send()
    assert line.failure == Failure(Phase.SEND, "closed", sent=False)
    assert (line.progress.sent_at, line.transport.writes) == (0.0, 0)
    assert line.is_cut()
    assert loop.timers() == []


def test_what_the_kernel_refuses_half_way_is_in_doubt(loop: VirtualLoop) -> None:
    """Bytes that were taken before the connection broke may have arrived."""
    line = Line(loop, tls=False)
    line.send()
    line.transport.peer.close()
    line.lose(BrokenPipeError())
    assert line.failure == Failure(Phase.FIRST_BYTE, "reset", sent=True)


@pytest.mark.parametrize(("tls", "spoke"), [(False, True), (True, False)])
def test_a_new_connection_that_speaks_first(loop: VirtualLoop, tls: bool, spoke: bool) -> None:
    """Is seen before anything is sent; over TLS such bytes may be session tickets."""
    line = Line(loop, tls=tls)
    assert not line.connection.spoke_first()
    line.transport.peer.send(b"x")
    assert line.connection.spoke_first() is spoke
