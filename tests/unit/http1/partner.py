"""A pool whose partner is a fake: tests decide how each connection opens and what it answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from proxy.http1 import pool as pool_module
from proxy.http1.client import ClientConnection
from proxy.http1.connect import Address, Resolve, Target, Tell
from proxy.http1.exchange import Result
from proxy.http1.pool import Pool
from proxy.model.call import Progress
from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.model.route import Timeouts
from tests.unit.http1.fakes import (
    START,
    FakeTransport,
    VirtualLoop,
    exchange,
    pool_limits,
    timeouts,
)

TARGET = Target("partner", 443, None, "partner")
REFUSED = Failure(Phase.CONNECT, "refused", sent=False)


async def local(name: str, within_s: float) -> list[Address] | str:
    """Every name is this machine."""
    return [(socket.AF_INET, "127.0.0.1")]


class Partner:
    """A pool and the other side of its connections; keywords are its limits."""

    def __init__(self, loop: VirtualLoop, **limits: Any) -> None:
        self.loop = loop
        self.pool = Pool(TARGET, pool_limits(**limits), timeouts(), local, loop.time, loop)
        self.opening: list[asyncio.Future[str]] = []
        self.transports: list[FakeTransport] = []
        self.answered: dict[FakeTransport, int] = {}
        self.late: list[Result] = []

    @contextmanager
    def connecting(self) -> Iterator[Partner]:
        """Connections are opened here instead of on the network."""
        with mock.patch.object(pool_module, "open_connection", self._open):
            yield self

    async def _open(
        self, target: Target, resolve: Resolve, limits: Timeouts, deadline_at: float,
        now: Callable[[], float], progress: Progress, factory: Callable[[], ClientConnection],
        tell: Tell | None,
    ) -> ClientConnection | Failure:  # fmt: skip
        gate = self.loop.create_future()
        self.opening.append(gate)
        try:
            how = await gate
        finally:
            self.opening.remove(gate)
        if how == "refused":
            return REFUSED
        connection = factory()
        transport = FakeTransport(self.loop, connection)
        self.transports.append(transport)
        self.answered[transport] = 0
        if how == "hung up":
            transport.end()
            await asyncio.sleep(0)  # so that even the loss is told before the pool gets it
        return connection

    def admit(self, how: str = "open", number: int = 0) -> None:
        """Let a connection open, be `refused`, or be `hung up` on as soon as it is open."""
        self.opening[number].set_result(how)

    async def call(self, name: bytes = b"x", queue_s: float = 1.0) -> Result:
        """What the transport layer does for an attempt; the request is only its name."""
        connection = self.pool.take()
        if connection is None:
            limits = timeouts(queue_s=queue_s)
            opened = await self.pool.open(Progress(), limits, START + 1e6)
            if isinstance(opened, Failure):
                return opened
            connection = opened
        if connection.fit():
            assert self.unanswered(self.transport(connection)) == 0, "given to two calls at once"
        plain = exchange(Progress(), self.late.append, deadline_at=START + 1e6)
        return await connection.exchange(name, plain)

    def begin(self, name: bytes = b"x", queue_s: float = 1.0) -> asyncio.Task[Result]:
        """A call, as far as it gets by itself."""
        task = self.loop.create_task(self.call(name, queue_s))
        self.loop.settle()
        return task

    def transport(self, connection: ClientConnection) -> FakeTransport:
        """The transport of a connection."""
        (found,) = [each for each in self.transports if each.protocol is connection]
        return found

    def unanswered(self, transport: FakeTransport) -> int:
        """Requests on this connection whose answer has not come: one at most."""
        return transport.writes - self.answered[transport]

    def asked(self) -> list[FakeTransport]:
        """Open connections with a request that waits for its answer, the oldest first."""
        return [each for each in self.transports if each.is_open() and self.unanswered(each)]

    def answer(self, transport: FakeTransport | None = None, how: str = "clean") -> None:
        """Echo the request: clean, with a stray byte, or closing."""
        transport = transport or self.asked()[0]
        closing = b"Connection: close\r\n" if how == "close" else b""
        body = transport.take()
        self.answered[transport] += 1
        head = b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (closing, len(body))
        transport.receive(head + body + (b"x" if how == "stray" else b""))

    def busy(self, count: int, name: bytes = b"x") -> list[asyncio.Task[Result]]:
        """So many calls on connections of their own, waiting for their answers."""
        tasks = []
        for _ in range(count):
            tasks.append(self.begin(name))
            self.admit()
            self.loop.settle()
        return tasks

    def idle(self, count: int) -> list[FakeTransport]:
        """So many idle connections that were used once."""
        tasks = self.busy(count)
        transports = self.asked()
        for transport in transports:
            self.answer(transport)
        self.loop.settle()
        assert all(task.done() for task in tasks)
        return transports
