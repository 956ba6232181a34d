"""Rules for connections that have no room."""

from __future__ import annotations

from proxy.http1.request_head import Reject
from tests.unit.http1.door import Door, Visitor
from tests.unit.http1.fakes import VirtualLoop


def test_only_a_few_are_told_that_there_is_no_room(loop: VirtualLoop) -> None:
    """Each holds a descriptor while it reads why; the flood behind them is cut, and counted."""
    door = Door(loop, connections_max=1)
    visitors = [Visitor(door) for _ in range(70)]
    assert visitors[0].got() == b""
    told = [visitor for visitor in visitors[1:] if visitor.got().startswith(b"HTTP/1.1 503 ")]
    assert told == visitors[1:65]
    assert all(visitor.transport.was_aborted() for visitor in visitors[65:])
    assert door.rejects == [Reject(503, "connections_max")] * 69
    assert door.edge.turned_away == {visitor.connection for visitor in told}
    loop.advance(1.0)
    assert door.edge.turned_away == set()
    late = Visitor(door)
    assert late.got().startswith(b"HTTP/1.1 503 ")
