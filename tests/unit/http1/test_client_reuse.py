"""Rules for a connection between two exchanges: no answer may meet another's request."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.unit.http1.fakes import START, VirtualLoop
from tests.unit.http1.line import OK, Line


def test_a_clean_connection_serves_again(loop: VirtualLoop) -> None:
    """Each request gets the answer that came after it; the record says that it was reused."""
    line = Line(loop)
    for number in range(3):
        line.send()
        assert line.progress.reused is (number > 0)
        line.receive(OK.replace(b"ok", b"%02d" % number))
        assert line.response.body == b"%02d" % number
        loop.advance(1.0)
    assert line.connection.idle_since == START + 2.0
    assert line.owner.told == ["freed"] * 3


@pytest.mark.parametrize("fresh", [True, False])
def test_any_byte_while_idle_cuts_the_connection(loop: VirtualLoop, fresh: bool) -> None:
    """Nobody could say whose answer it would be, not even if it is a complete one."""
    line = Line(loop)
    if not fresh:
        line.reuse()
    line.receive(OK)
    assert line.is_cut()
    line.send()
    assert line.failure.sent is False
    assert line.transport.written == b""


def test_the_end_while_idle_ends_the_connection(loop: VirtualLoop) -> None:
    """And the owner hears of it before anybody can take the connection."""
    line = Line(loop)
    line.reuse()
    line.end()
    assert line.connection.closed
    assert line.owner.told == ["lost"]


def test_it_is_fit_only_while_nothing_waits_on_its_descriptor(loop: VirtualLoop) -> None:
    """Bytes are seen there before the loop delivers them, and so is a FIN."""
    line = Line(loop)
    line.reuse()
    assert line.connection.fit()
    line.transport.peer.send(b"x")
    assert not line.connection.fit()
    line = Line(loop)
    assert line.connection.fit()
    line.transport.peer.close()
    assert not line.connection.fit()


def test_a_closing_connection_is_not_fit(loop: VirtualLoop) -> None:
    """Whoever began to close it."""
    for close in (Line.lose, lambda line: line.connection.abort(),
                  lambda line: line.transport.close()):  # fmt: skip
        line = Line(loop)
        close(line)
        assert not line.connection.fit()


def test_408_on_a_reused_connection_is_no_answer(loop: VirtualLoop) -> None:
    """It was sent to the silence before our request, which may have been read or not."""
    line = Line(loop)
    line.reuse()
    line.send()
    line.receive(OK.replace(b"200", b"408"))
    assert line.failure == Failure(Phase.BODY, "timeout_408_on_reused", sent=True)
    assert line.is_cut()


def test_a_failure_on_a_reused_connection_is_told_first(loop: VirtualLoop) -> None:
    """The owner learns that idle siblings are suspect before the place is free for others."""
    line = Line(loop)
    line.reuse()
    line.send()
    line.lose(ConnectionResetError())
    assert line.failure == Failure(Phase.FIRST_BYTE, "reset", sent=True)
    assert line.owner.told == ["failed", "lost"]
    assert line.owner.unproven_since == [float("inf")]


def test_a_timeout_on_a_reused_connection_says_since_when(loop: VirtualLoop) -> None:
    """Siblings that have answered since that request was sent are proven alive."""
    line = Line(loop)
    line.reuse()
    line.owner.room_to_linger = False
    loop.advance(1.0)
    line.send()
    loop.advance(6.0)
    assert line.failure == Failure(Phase.FIRST_BYTE, "timeout", sent=True)
    assert line.owner.told == ["failed", "lost"]
    assert line.owner.unproven_since == [START + 1.0]


def test_a_failure_on_a_fresh_connection_says_nothing_of_others(loop: VirtualLoop) -> None:
    """They are older, and may well be alive."""
    line = Line(loop)
    line.send()
    line.lose(ConnectionResetError())
    assert line.owner.told == ["lost"]


def test_an_exchange_leaves_nothing_behind_for_the_next(loop: VirtualLoop) -> None:
    """Neither its timer, nor its framing, nor its first byte."""
    line = Line(loop)
    line.send(head_request=True, allow_eof_body=True)
    line.receive(OK.removesuffix(b"ok"))
    loop.advance(59.0)
    line.send(deadline_at=START + 200.0)
    loop.advance(5.0)
    assert not line.answer.done()
    line.receive(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    assert line.progress.first_byte_at == START + 64.0
    loop.advance(6.0)
    line.receive(b"1\r\na\r\n0\r\n\r\n")
    assert isinstance(line.response, Response)
    assert line.response.body == b"a"


@pytest.mark.parametrize("how", [Line.lose, Line.end, lambda line: line.connection.abort()])
def test_a_connection_that_ends_leaves_no_timer(
    loop: VirtualLoop, how: Callable[[Line], None]
) -> None:
    """A timer would hold the connection, and all it had read, until it wakes."""
    line = Line(loop)
    line.send()
    assert len(loop.timers()) == 1
    how(line)
    loop.settle()
    assert loop.timers() == []


def test_abort_may_be_repeated(loop: VirtualLoop) -> None:
    """By the pool, by itself and by the loop; the transport is cut once, never closed politely."""
    line = Line(loop)
    line.send()
    line.connection.abort()
    line.connection.abort()
    assert line.is_cut()
    line.connection.abort()
    assert line.failure.sent
    assert line.transport.was_closed() is False
