"""Rules for time in an exchange: which limit ends it, and what becomes of the answer then.

In these tests sending may take 5 s, the first byte 6 s, the body 7 s, the call 60 s,
and lingering 10 s.
"""

from __future__ import annotations

import pytest

from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.unit.http1.fakes import START, VirtualLoop, timeouts
from tests.unit.http1.line import OK, Line


def impatient(loop: VirtualLoop) -> Line:
    """A line whose owner has no room for lingering."""
    line = Line(loop)
    line.owner.room_to_linger = False
    return line


def passes(line: Line, seconds: float) -> None:
    """Time until just before the limit, and then the limit."""
    line.loop.advance(seconds - 0.1)
    assert not line.answer.done()
    line.loop.advance(0.1)


def test_the_first_byte_has_its_time(loop: VirtualLoop) -> None:
    """Counted from the write."""
    line = impatient(loop)
    line.send()
    passes(line, 6.0)
    assert line.failure == Failure(Phase.FIRST_BYTE, "timeout", sent=True)
    assert line.is_cut()


@pytest.mark.parametrize("where", ["here", "below"])
def test_sending_has_its_time(loop: VirtualLoop, where: str) -> None:
    """While the kernel takes no more bytes; half a request is cut off and never lingers."""
    line = Line(loop)
    line.send()
    (line.transport if where == "here" else line.transport.below).unsent = 1
    passes(line, 5.0)
    assert line.failure == Failure(Phase.SEND, "timeout", sent=True)
    assert line.is_cut()
    assert line.late == []


def test_a_request_that_has_left_waits_for_its_first_byte(loop: VirtualLoop) -> None:
    """The end of the sending time is then nothing but a wake-up."""
    line = impatient(loop)
    line.send()
    line.transport.unsent = 1
    loop.advance(4.0)
    line.transport.unsent = 0
    passes(line, 2.0)
    assert line.failure.phase is Phase.FIRST_BYTE


def test_the_body_has_its_time(loop: VirtualLoop) -> None:
    """Counted from the first byte of the answer, and not begun anew by each further byte."""
    line = impatient(loop)
    line.send()
    loop.advance(5.0)
    line.receive(b"H")
    loop.advance(3.0)
    line.receive(OK[1:-2])
    loop.advance(3.0)
    line.receive(OK[-2:-1])
    passes(line, 1.0)
    assert line.failure == Failure(Phase.BODY, "timeout", sent=True)


@pytest.mark.parametrize("pieces", [[b"HTTP/1.1 100 x\r\n\r\n"], [b"HTTP/1.1 1", b"02 x\r\n\r\n"]])
def test_interim_answers_do_not_buy_time(loop: VirtualLoop, pieces: list[bytes]) -> None:
    """However many and however cut: the first byte of the final answer is what is waited for."""
    line = impatient(loop)
    line.send()
    for _ in range(5):
        loop.advance(1.0)
        line.receive(*pieces)
    assert line.progress.first_byte_at == 0.0
    passes(line, 1.0)
    assert line.failure == Failure(Phase.FIRST_BYTE, "timeout", sent=True)


@pytest.mark.parametrize("begun", [b"", b"HTTP/1.1 100 x\r\n\r\n", OK[:20], OK[:-1]])
def test_the_deadline_ends_every_phase(loop: VirtualLoop, begun: bytes) -> None:
    """It is the smaller of the two, and has a reason of its own."""
    line = impatient(loop)
    line.send(deadline_at=START + 3.0)
    line.receive(begun) if begun else None
    passes(line, 3.0)
    assert (line.failure.reason, line.failure.sent) == ("deadline", True)
    assert line.failure.phase is (Phase.BODY if begun[9:10] == b"2" else Phase.FIRST_BYTE)


def test_an_answer_in_time_stops_the_clock(loop: VirtualLoop) -> None:
    """Nothing expires behind it."""
    line = Line(loop)
    line.send(timeouts=timeouts(first_byte_s=1.0))
    loop.advance(0.5)
    line.receive(OK)
    loop.advance(1000.0)
    assert line.response.status == 200
    assert line.owner.told == ["freed"]


# -- lingering --------------------------------------------------------------------


def lingering(loop: VirtualLoop, *, reused: bool = False) -> Line:
    """A line whose caller was answered in doubt after 6 s, and which waits on."""
    line = Line(loop)
    if reused:
        line.reuse()
    line.send()
    loop.advance(6.0)
    assert line.failure == Failure(Phase.FIRST_BYTE, "timeout", sent=True)
    assert line.connection.lingering
    assert line.late == []
    assert not line.transport.is_closing()
    return line


def test_a_late_answer_is_learned(loop: VirtualLoop) -> None:
    """Told once, with all of its content; its connection closes, for who knows what is behind."""
    line = lingering(loop)
    loop.advance(9.0)
    line.receive(OK[:30])
    line.receive(OK[30:])
    (late,) = line.late
    assert isinstance(late, Response)
    assert late.body == b"ok"
    assert line.is_cut()
    assert line.owner.told == ["lost"]


def test_a_late_failure_is_learned_too(loop: VirtualLoop) -> None:
    """It is still in doubt, but now with what happened."""
    line = lingering(loop, reused=True)
    line.lose(ConnectionResetError())
    assert line.late == [Failure(Phase.FIRST_BYTE, "reset", sent=True)]
    assert line.owner.told == ["failed", "lost"]


@pytest.mark.parametrize("trickle", [b"", b"a"])
def test_lingering_ends(loop: VirtualLoop, trickle: bytes) -> None:
    """After its own time, which bytes do not extend."""
    line = lingering(loop)
    line.receive(OK[:30] if trickle else b"HTTP/1.1 100 x\r\n\r\n")
    loop.advance(9.9)
    assert line.late == []
    loop.advance(0.1)
    (late,) = line.late
    assert isinstance(late, Failure)
    assert (late.reason, late.sent) == ("lingered", True)
    assert line.is_cut()


def test_the_pool_may_end_lingering(loop: VirtualLoop) -> None:
    """At the end of the drain; the call's ending is told all the same."""
    line = lingering(loop)
    line.connection.abort()
    loop.settle()
    assert line.late == [Failure(Phase.FIRST_BYTE, "closed", sent=True)]


def test_without_room_nothing_lingers(loop: VirtualLoop) -> None:
    """The connection is cut, and its caller told just the same."""
    line = impatient(loop)
    line.send()
    loop.advance(6.0)
    assert line.failure == Failure(Phase.FIRST_BYTE, "timeout", sent=True)
    assert line.is_cut()
    assert line.late == []


def test_a_body_may_come_late(loop: VirtualLoop) -> None:
    """What had come of it before the caller was answered still counts."""
    line = Line(loop)
    line.send()
    line.receive(OK[:-1])
    loop.advance(7.0)
    assert line.failure == Failure(Phase.BODY, "timeout", sent=True)
    line.receive(OK[-1:])
    (late,) = line.late
    assert isinstance(late, Response)
    assert late.body == b"ok"


# -- callers that go away ------------------------------------------------------------


def test_a_caller_that_was_cancelled_does_not_stop_the_exchange(loop: VirtualLoop) -> None:
    """What the partner said is told late, and the connection serves on."""
    line = Line(loop)
    line.send().cancel()
    loop.settle()
    assert not line.transport.is_closing()
    line.receive(OK)
    (late,) = line.late
    assert isinstance(late, Response)
    assert late.status == 200
    assert line.owner.told == ["freed"]


def test_the_time_of_a_cancelled_caller_runs_on(loop: VirtualLoop) -> None:
    """It lingers like any other, and ends."""
    line = Line(loop)
    line.send().cancel()
    loop.advance(6.0)
    assert line.connection.lingering
    loop.advance(10.0)
    assert [type(late) for late in line.late] == [Failure]
    assert line.is_cut()
