"""The inbound edge on fake transports and virtual time, with a handler that is answered by hand."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from proxy.http1.request_head import Reject
from proxy.http1.server import ServerConnection
from proxy.http1.serving import Edge
from proxy.model.message import Request, Response
from tests.unit.http1.fakes import FakeTransport, VirtualLoop, edge_limits


def request(method: bytes = b"GET", *lines: bytes, body: bytes = b"", path: bytes = b"/") -> bytes:
    """A request as bytes, with a length if it has a body."""
    framing = (b"Content-Length: %d" % len(body),) if body else ()
    return b"\r\n".join(
        (method + b" " + path + b" HTTP/1.1", b"Host: a", *framing, *lines, b"", body)
    )


def reply(body: bytes = b"", *, status: int = 200, close: bool = False) -> bytes:
    """A reply of the edge as bytes."""
    phrase = {200: b"OK", 400: b"Bad Request", 408: b"Request Timeout"}[status]
    ending = b"Connection: close\r\n" if close else b""
    return b"HTTP/1.1 %d %b\r\nContent-Length: %d\r\n%b\r\n%b" % (
        status, phrase, len(body), ending, body,
    )  # fmt: skip


@dataclass(slots=True)
class Clock:
    """The loop's clock, as the house wants it."""

    loop: asyncio.AbstractEventLoop

    def now(self) -> float:
        return self.loop.time()

    def wall(self) -> float:
        raise AssertionError("no timeout may look at the wall clock")


class Door:
    """An edge; keywords are its limits."""

    def __init__(self, loop: VirtualLoop, **limits: Any) -> None:
        self.loop = loop
        self.calls: list[Request] = []
        self.rejects: list[Reject] = []
        self.cancelled = 0
        self._answers: list[asyncio.Future[Response]] = []
        self.edge = Edge(
            loop=loop,
            clock=Clock(loop),
            limits=edge_limits(**limits),
            handler=self._handle,
            failed=lambda error: Response(500, [], type(error).__name__.encode()),
            refusal=lambda reject: Response(reject.status, [], reject.reason.encode()),
            rejected=self.rejects.append,
        )

    async def _handle(self, request: Request) -> Response:
        self.calls.append(request)
        answer: asyncio.Future[Response] = self.loop.create_future()
        self._answers.append(answer)
        try:
            return await answer
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    def answer(self, body: bytes = b"", status: int = 200) -> None:
        """Let the oldest call that still runs have its answer."""
        self.loop.settle()
        self._answers.pop(0).set_result(Response(status, [], body))
        self.loop.settle()

    def fail(self, error: Exception) -> None:
        """Let the oldest call that still runs end in a bug."""
        self.loop.settle()
        self._answers.pop(0).set_exception(error)
        self.loop.settle()

    @property
    def running(self) -> int:
        """Calls that wait for their answer."""
        return len(self._answers)


class Visitor:
    """One application's connection."""

    def __init__(self, door: Door) -> None:
        self.door = door
        self.connection: ServerConnection = door.edge.connection()
        self.transport = FakeTransport(door.loop, self.connection)

    def send(self, *pieces: bytes) -> None:
        """Bytes of the application, which must be read."""
        for piece in pieces:
            assert self.transport.is_reading()
            self.connection.data_received(piece)
        self.door.loop.settle()

    def end(self) -> None:
        """FIN; the transport closes unless the connection wants it kept."""
        if not self.connection.eof_received() and not self.transport.is_closing():
            self.transport.lose()
        self.door.loop.settle()

    def lose(self) -> None:
        """RST."""
        self.transport.lose(ConnectionResetError())
        self.door.loop.settle()

    def got(self) -> bytes:
        """What was written since the last look."""
        self.door.loop.settle()
        return self.transport.take()
