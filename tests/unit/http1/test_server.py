"""Rules for one inbound connection: requests in, answers out, in order, on fake transports.

test_serving_sockets.py has the real ones.
"""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.model.message import Request
from tests.unit.http1.door import Door, Visitor, reply, request
from tests.unit.http1.fakes import START, VirtualLoop

CHUNKED = request(b"POST", b"Transfer-Encoding: chunked")


def enter(loop: VirtualLoop) -> tuple[Door, Visitor]:
    """An edge with one connection."""
    door = Door(loop)
    return door, Visitor(door)


def test_a_request_arrives_whole(loop: VirtualLoop) -> None:
    """As one value, with the instant of its first byte; its answer goes back on its connection."""
    door, visitor = enter(loop)
    loop.advance(1.0)
    wire = request(b"POST", b"X-A: 1", body=b"hello", path=b"/pay?x")
    visitor.send(wire[:10])
    loop.advance(1.0)
    visitor.send(wire[10:])
    headers = [(b"x-a", b"X-A", b"1")]
    assert door.calls == [Request(b"POST", b"/pay?x", b"a", headers, b"hello", START + 1.0)]
    door.answer(b"done")
    assert visitor.got() == reply(b"done")
    assert not visitor.transport.is_closing()


MESSAGES = [
    request(),
    request(b"POST", body=b"hello"),
    request(b"PUT", b"Upgrade: h2c", b"Connection: upgrade", body=b"h2c"),
    CHUNKED + b"2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n",
    request(b"DELETE", b"Content-Length: 0"),
]
BODIES = [b"", b"hello", b"h2c", b"abc", b""]


@settings(max_examples=60)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=4), st.data())
def test_pipelined_requests_are_answered_in_order(order: list[int], data: st.DataObject) -> None:
    """One at a time, each with its own body, wherever segments end; more is not read meanwhile."""
    wire = b"".join(MESSAGES[number] for number in order)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=4)))
    loop = VirtualLoop()
    door, visitor = enter(loop)
    unsent = [wire[start:end] for start, end in pairwise([0, *cuts, len(wire)]) if start < end]
    for number, kind in enumerate(order):
        while not door.running:
            visitor.send(unsent.pop(0))
        while unsent and visitor.transport.is_reading():
            visitor.send(unsent.pop(0))
        assert len(door.calls) == number + 1
        assert door.calls[-1].body == BODIES[kind]
        assert visitor.got() == b""
        door.answer(b"%d" % number)
        assert visitor.got() == reply(b"%d" % number)
    assert unsent == []
    assert visitor.transport.is_reading()
    loop.end()


def test_reading_stops_while_a_call_is_at_work(loop: VirtualLoop) -> None:
    """One segment more is kept, so a flood of pipelined requests stays in the kernel."""
    door, visitor = enter(loop)
    visitor.send(request())
    assert visitor.transport.is_reading()
    visitor.send(request(path=b"/2"))
    assert not visitor.transport.is_reading()
    door.answer()
    assert not visitor.transport.is_reading()
    assert [call.target for call in door.calls] == [b"/", b"/2"]
    door.answer()
    assert visitor.transport.is_reading()
    assert len(door.calls) == 2


def test_an_answer_to_head_has_no_body(loop: VirtualLoop) -> None:
    """And the connection goes on."""
    door, visitor = enter(loop)
    visitor.send(request(b"HEAD"))
    door.answer(b"not shown")
    assert visitor.got() == b"HTTP/1.1 200 OK\r\n\r\n"
    visitor.send(request())
    door.answer(b"shown")
    assert visitor.got() == reply(b"shown")


@pytest.mark.parametrize(
    "wire", [request(b"GET", b"Connection: close"), request().replace(b"HTTP/1.1", b"HTTP/1.0")]
)
def test_who_wants_to_close_is_answered_first(loop: VirtualLoop, wire: bytes) -> None:
    """With `Connection: close`; whatever came behind that request is not read as another."""
    door, visitor = enter(loop)
    visitor.send(wire + request())
    door.answer(b"x")
    assert visitor.got() == reply(b"x", close=True)
    assert visitor.transport.was_closed()
    assert len(door.calls) == 1
    assert door.edge.connections == set()


# -- Expect -------------------------------------------------------------------------


def test_who_waits_for_permission_gets_it_once(loop: VirtualLoop) -> None:
    """Before the body has come; then the body is read like any other."""
    door, visitor = enter(loop)
    head = request(b"POST", b"Expect: 100-continue", b"Content-Length: 2")
    visitor.send(head[:-1])
    assert visitor.got() == b""
    visitor.send(head[-1:])
    assert visitor.got() == b"HTTP/1.1 100 Continue\r\n\r\n"
    visitor.send(b"h", b"i")
    door.answer()
    assert door.calls[0].body == b"hi"
    assert visitor.got() == reply()


@pytest.mark.parametrize(
    "wire",
    [
        request(b"POST", b"Expect: 100-continue", body=b"hi"),
        request(b"POST", b"Expect: 100-continue", body=b"hi")[:-1],
        request(b"POST", b"Expect: 100-continue", b"Content-Length: 0"),
        request(b"POST", b"Expect: 100-continue", b"Content-Length: 2").replace(b"1.1", b"1.0"),
    ],
    ids=["the body is there", "some of the body is there", "no body", "HTTP/1.0"],
)
def test_who_does_not_wait_gets_no_permission(loop: VirtualLoop, wire: bytes) -> None:
    """It would be an answer too many, or one that an old sender takes for the final one."""
    _, visitor = enter(loop)
    visitor.send(wire)
    assert visitor.got() == b""


def test_a_body_that_is_too_large_gets_no_permission(loop: VirtualLoop) -> None:
    """Its sender learns so before it sends it."""
    door, visitor = enter(loop)
    visitor.send(request(b"POST", b"Expect: 100-continue", b"Content-Length: 65"))
    assert visitor.got().startswith(b"HTTP/1.1 413 ")
    assert door.calls == []


# -- applications that go away ----------------------------------------------------------


def test_a_call_outlives_its_connection(loop: VirtualLoop) -> None:
    """Hanging up stops nothing; the answer is written to nobody; the drain still waits for it."""
    door, visitor = enter(loop)
    visitor.send(request(b"POST", body=b"charge"))
    visitor.lose()
    assert door.running == 1
    assert door.edge.connections == set()
    assert door.edge.busy == {visitor.connection}
    door.answer()
    assert door.cancelled == 0
    assert door.edge.busy == set()
    assert visitor.got() == b""


def test_who_half_closes_gets_its_answers(loop: VirtualLoop) -> None:
    """All of those it asked for in full; then the connection closes."""
    door, visitor = enter(loop)
    visitor.send(request(path=b"/1"), request(path=b"/2") + request(path=b"/3")[:-1])
    visitor.end()
    assert not visitor.transport.is_closing()
    door.answer(b"1")
    assert visitor.got() == reply(b"1")
    door.answer(b"2")
    assert visitor.got() == reply(b"2")
    assert visitor.transport.was_closed()
    assert len(door.calls) == 2


def test_the_last_answer_to_who_half_closed_says_so(loop: VirtualLoop) -> None:
    """Nothing is left to answer, so it carries `Connection: close`."""
    door, visitor = enter(loop)
    visitor.send(request())
    visitor.end()
    door.answer()
    assert visitor.got() == reply(close=True)
    assert visitor.transport.was_closed()


@pytest.mark.parametrize("begun", [b"", b"GET /", CHUNKED, CHUNKED + b"1\r\na"])
def test_a_request_without_its_end_is_no_request(loop: VirtualLoop, begun: bytes) -> None:
    """Whoever closes in the middle of it gets no answer, and no call is made."""
    door, visitor = enter(loop)
    visitor.send(begun) if begun else None
    visitor.end()
    assert visitor.got() == b""
    assert (door.calls, door.edge.connections) == ([], set())


def test_a_handler_that_fails_still_answers(loop: VirtualLoop) -> None:
    """A bug outside the stack must not leave the application waiting for ever."""
    door, visitor = enter(loop)
    visitor.send(request(b"POST", body=b"x"))
    door.fail(ZeroDivisionError("not for the caller"))
    got = visitor.got()
    assert got.startswith(b"HTTP/1.1 500 ")
    assert got.endswith(b"ZeroDivisionError")
    assert b"not for the caller" not in got
