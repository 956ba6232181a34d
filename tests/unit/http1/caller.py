"""Calls a scripted origin, cleartext or TLS, through a real pool on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trustme

from proxy.http1.connect import Target
from proxy.http1.exchange import Exchange, Result
from proxy.http1.pool import Pool
from proxy.model.call import Progress
from proxy.model.message import Failure, Response
from tests.support.origin import Origin
from tests.support.peer import Peer, Script, answer
from tests.unit.http1.fakes import pool_limits, timeouts
from tests.unit.http1.partner import local

PATIENCE_S = 10.0
AUTHORITY = trustme.CA()
SERVER = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
AUTHORITY.issue_cert("localhost").configure_cert(SERVER)
CLIENT = ssl.create_default_context()
AUTHORITY.configure_trust(CLIENT)
EITHER = pytest.mark.parametrize("tls", [False, True], ids=["cleartext", "tls"])
EMPTY = {"idle": 0, "busy": 0, "lingering": 0, "opening": 0, "waiting": 0}


class Caller:
    """Calls an origin through a pool; keywords are limits of the pool."""

    def __init__(self, origin: Origin, *, tls: bool, **limits: Any) -> None:
        loop = asyncio.get_running_loop()
        target = Target("localhost", origin.port, CLIENT if tls else None, "localhost")
        self.pool = Pool(target, pool_limits(**limits), timeouts(), local, time.monotonic, loop)
        self.progress = Progress()
        self.late: asyncio.Future[Result] = loop.create_future()

    async def call(self, body: bytes = b"hi", **limits: float) -> Result:
        """One attempt, as the transport layer makes it; keywords are timeouts."""
        self.progress = Progress()
        patience = timeouts(**limits)
        exchange = Exchange(
            self.progress, patience, time.monotonic() + PATIENCE_S, False, True, self._told
        )
        connection = self.pool.take()
        if connection is None:
            opened = await self.pool.open(self.progress, patience, exchange.deadline_at)
            if isinstance(opened, Failure):
                return opened
            connection = opened
        head = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n" % len(body)
        return await connection.exchange(head + body, exchange)

    def _told(self, late: Result) -> None:
        if not self.late.done():
            self.late.set_result(late)

    async def answer(self, body: bytes = b"hi") -> Response:
        """A call that must be answered."""
        result = await self.call(body)
        assert isinstance(result, Response), result
        return result

    async def until(self, **counts: int) -> None:
        """Wait until the pool holds this and nothing else."""
        async with asyncio.timeout(PATIENCE_S):
            while self.pool.counts() != EMPTY | counts:
                await asyncio.sleep(0.001)


@contextlib.asynccontextmanager
async def partner(
    script: Script, *, tls: bool = False, **limits: Any
) -> AsyncIterator[tuple[Caller, Origin]]:
    """A caller and its origin; in the end the pool must be empty."""
    with Origin(script, tls=SERVER if tls else None) as origin:
        caller = Caller(origin, tls=tls, **limits)
        yield caller, origin
        await caller.pool.drain(0.0)
        await caller.until()


def echo(peer: Peer) -> None:
    """Answer each request with its body."""
    while True:
        peer.send(answer(200, peer.read_request().body))
