"""One outbound connection on a fake transport and virtual time, ready to send a request."""

from __future__ import annotations

import asyncio
from typing import Any

from proxy.http1.client import ClientConnection
from proxy.http1.exchange import Result
from proxy.model.call import Progress
from proxy.model.message import Failure, Response
from tests.unit.http1.fakes import FakeOwner, FakeTransport, VirtualLoop, exchange, pool_limits

REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Line:
    """A connection, its transport and its owner; keywords are limits of the pool."""

    def __init__(self, loop: VirtualLoop, *, tls: bool = True, **limits: Any) -> None:
        self.loop = loop
        self.owner = FakeOwner(pool_limits(**limits))
        self.connection = ClientConnection(self.owner, loop, loop.time)
        self.transport = FakeTransport(loop, self.connection, tls=tls)
        self.progress = Progress()
        self.late: list[Result] = []
        self.answer: asyncio.Future[Result] = loop.create_future()

    def send(self, **over: Any) -> asyncio.Future[Result]:
        """Begin an exchange; keywords are those of `Exchange`."""
        self.progress = Progress()
        over.setdefault("late", self.late.append)
        self.answer = self.connection.exchange(REQUEST, exchange(self.progress, **over))
        return self.answer

    def reuse(self) -> None:
        """Have one clean answer behind it."""
        self.send()
        self.receive(OK)
        assert isinstance(self.answer.result(), Response)
        assert self.owner.told == ["freed"]
        self.owner.told.clear()
        self.transport.take()

    def receive(self, *pieces: bytes) -> None:
        """Bytes from the partner, as far as the connection still reads."""
        for piece in pieces:
            if not self.transport.is_closing():
                self.connection.data_received(piece)

    def end(self) -> None:
        """The partner sends FIN; asyncio closes the transport when it is told so."""
        if not self.connection.eof_received():
            self.transport.lose()
        self.loop.settle()

    def lose(self, error: Exception | None = None) -> None:
        """The connection breaks."""
        self.transport.lose(error)
        self.loop.settle()

    @property
    def failure(self) -> Failure:
        """The result, which must be a failure."""
        result = self.answer.result()
        assert isinstance(result, Failure), result
        return result

    @property
    def response(self) -> Response:
        """The result, which must be an answer."""
        result = self.answer.result()
        assert isinstance(result, Response), result
        return result

    def is_cut(self) -> bool:
        """Whether the connection was aborted, and not closed, and the owner knows."""
        self.loop.settle()
        gone = self.connection.closed and self.transport.is_closing()
        assert not gone or "lost" in self.owner.told
        return gone and not (self.transport.was_closed() and not self.transport.was_aborted())
