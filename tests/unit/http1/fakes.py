"""A loop with virtual time, a transport that keeps what it is told, and limits to build on."""

from __future__ import annotations

import asyncio
import dataclasses
import socket
from collections.abc import Callable
from typing import Any

from proxy.http1.client import ClientConnection
from proxy.http1.exchange import Exchange, Result
from proxy.http1.limits import EdgeLimits
from proxy.model.call import Progress
from proxy.model.route import PoolLimits, Timeouts
from tests.unit.http1.below import Below

START = 1000.0
"""Where virtual time begins: an instant of 0.0 would mean "not reached"."""
TICKS = 12
"""Passes of the loop that let every chain of callbacks of these tests come to rest."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A real loop, run a few passes at a time, whose clock moves only by `advance`."""

    def __init__(self) -> None:
        self.instant = START
        self.errors: list[str] = []
        self.transports: list[FakeTransport] = []
        self.made: list[asyncio.TimerHandle] = []
        super().__init__()
        self.set_exception_handler(self._note)

    def _note(self, _: object, context: dict[str, Any]) -> None:
        self.errors.append(f"{context['message']}: {context.get('exception')!r}")

    def time(self) -> float:
        """Virtual seconds."""
        return self.instant

    def call_at(  # type: ignore[override] # typed there by the callback's arguments
        self, when: float, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.TimerHandle:
        handle = super().call_at(when, callback, *args, context=context)
        self.made.append(handle)
        return handle

    def timers(self) -> list[asyncio.TimerHandle]:
        """Those that would still wake."""
        return [each for each in self.made if not each.cancelled() and each.when() > self.instant]

    def tick(self) -> None:
        """One pass."""
        self.call_soon(self.stop)
        self.run_forever()

    def settle(self) -> None:
        """Passes until nothing is left to do at this instant."""
        for _ in range(TICKS):
            self.tick()

    def advance(self, seconds: float) -> None:
        """Let time pass, and whatever was due in it happen."""
        self.instant += seconds
        self.settle()

    def end(self) -> None:
        """Cancel what still runs, close every socket and the loop."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        self.settle()
        for transport in self.transports:
            transport.release()
        self.close()


class FakeTransport(asyncio.Transport):
    """Keeps what a protocol does to it; `peer` is the other end of its descriptor."""

    def __init__(self, loop: VirtualLoop, protocol: asyncio.Protocol, *, tls: bool = True) -> None:
        self.socket, self.peer = socket.socketpair()
        self.socket.setblocking(False)
        # as over TLS, writes go through the transport, where a test can see them
        super().__init__({"socket": self.socket})
        self.loop = loop
        self.protocol = protocol
        self.written = b""
        self.writes = 0
        self.unsent = 0
        """Bytes that the kernel would not take yet."""
        self.below = Below()
        self._reading = True
        self.ended = False
        self.ending_fails = False
        """The peer has gone, so that shutting down the socket is an error."""
        self._closed = False
        self._aborted = False
        self._over = False
        loop.transports.append(self)
        if tls and isinstance(protocol, ClientConnection):
            protocol.secured(self, self.below)
        else:
            protocol.connection_made(self)

    def is_open(self) -> bool:
        return not self.is_closing()

    def receive(self, data: bytes) -> None:
        """Bytes from the peer, delivered by the loop."""
        self.protocol.data_received(data)

    def end(self) -> None:
        """FIN of the peer; asyncio closes the transport when the protocol lets it."""
        if not self.protocol.eof_received():
            self.lose()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.is_closing()
        assert not self.ended
        self.written += bytes(data)
        self.writes += 1

    def take(self) -> bytes:
        """What was written since the last look."""
        written, self.written = self.written, b""
        return written

    def write_eof(self) -> None:
        if self.ending_fails:
            raise OSError(107, "not connected")
        self.ended = True

    def get_write_buffer_size(self) -> int:
        return self.unsent

    def pause_reading(self) -> None:
        self._reading = False

    def resume_reading(self) -> None:
        self._reading = True

    def is_reading(self) -> bool:
        return self._reading

    def was_aborted(self) -> bool:
        """Cut, whatever was left to send."""
        return self._aborted

    def was_closed(self) -> bool:
        """Closed politely, or by the peer."""
        return self._closed

    def is_closing(self) -> bool:
        return self._closed or self._aborted

    def abort(self) -> None:
        self._end()
        self._aborted = True

    def close(self) -> None:
        if self.unsent == 0:
            self._end()
        self._closed = True

    def lose(self, error: Exception | None = None) -> None:
        """The connection breaks, or the peer closed it and nobody wanted it kept."""
        self._end(error)
        self._closed = True

    def _end(self, error: Exception | None = None) -> None:
        if not self._over:
            self._over = True
            self.loop.call_soon(self.protocol.connection_lost, error)

    def release(self) -> None:
        """Close the descriptors."""
        self.socket.close()
        self.peer.close()


class FakeOwner:
    """Stands for the pool: keeps what connections tell it."""

    def __init__(self, limits: PoolLimits) -> None:
        self.limits = limits
        self.told: list[str] = []
        self.unproven_since: list[float] = []
        self.room_to_linger = True

    def freed(self, connection: ClientConnection) -> None:
        self.told.append("freed")

    def lost(self, connection: ClientConnection) -> None:
        if "lost" not in self.told:  # it may be told twice
            self.told.append("lost")

    def failed(self, unproven_since: float) -> None:
        self.told.append("failed")
        self.unproven_since.append(unproven_since)

    def may_linger(self, connection: ClientConnection) -> bool:
        return self.room_to_linger


def no_late(result: Result) -> None:
    """For exchanges that must not end late."""
    raise AssertionError(f"ended late: {result}")


def exchange(progress: Progress, late: Callable[[Result], None] = no_late, **over: Any) -> Exchange:
    """An exchange with a deadline in 60 s of virtual time."""
    plain = Exchange(progress, timeouts(), START + 60.0, False, False, late)
    return dataclasses.replace(plain, **over)


def timeouts(**over: float) -> Timeouts:
    """Each phase has its own number of seconds, so that a test sees which one was in force."""
    plain = Timeouts(
        queue_s=1.0, resolve_s=2.0, connect_s=3.0, tls_s=4.0, send_s=5.0, first_byte_s=6.0,
        body_s=7.0,
    )  # fmt: skip
    return dataclasses.replace(plain, **over)


def pool_limits(**over: Any) -> PoolLimits:
    """Small limits, so that tests reach them."""
    plain = PoolLimits(
        connections_max=2, idle_max=2, idle_age_max_s=15.0, age_max_s=600.0, waiters_max=4,
        reuse=True, prewarm=0, lingering_max=2, linger_s=10.0, header_bytes_max=512,
        body_bytes_max=64,
    )  # fmt: skip
    return dataclasses.replace(plain, **over)


def edge_limits(**over: Any) -> EdgeLimits:
    """Small limits, so that tests reach them."""
    methods = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS")
    plain = EdgeLimits(
        methods=frozenset(methods), connections_max=4, request_line_bytes_max=128,
        header_bytes_max=512, header_count_max=8, body_bytes_max=64, timeout_header_s=2.0,
        timeout_body_s=3.0, timeout_idle_s=10.0, timeout_write_s=5.0,
    )  # fmt: skip
    return dataclasses.replace(plain, **over)
