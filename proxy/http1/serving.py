"""The inbound edge: what all connections share, listening sockets, and the drain."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from proxy.http1.limits import EdgeLimits
from proxy.http1.request_head import Reject
from proxy.http1.server import ServerConnection
from proxy.model.clock import Clock
from proxy.model.message import Request, Response

RequestHandler = Callable[[Request], Awaitable[Response]]
_DRAIN_POLL_S = 0.01
_TURNED_AWAY_MAX = 64
"""Connections above the bound hold a descriptor while they read why; more are just cut."""


class Edge:
    """Shared state of the inbound connections.

    `handler` answers every request; should it raise all the same, `failed` makes
    the reply, since the application is owed one. `refusal` makes the reply to
    bytes that were no acceptable request, and `rejected` is told about each.
    """

    def __init__(
        self,
        *,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        limits: EdgeLimits,
        handler: RequestHandler,
        failed: Callable[[Exception], Response],
        refusal: Callable[[Reject], Response],
        rejected: Callable[[Reject], None],
    ) -> None:
        self.loop = loop
        self.now = clock.now
        self.limits = limits
        self.handler = handler
        self.failed = failed
        self.refusal = refusal
        self.rejected = rejected
        self.connections: set[ServerConnection] = set()
        self.turned_away: set[ServerConnection] = set()
        """Connections above the bound, being told so."""
        self.draining = False
        self.busy: set[ServerConnection] = set()
        """Connections with a handler running; they outlive their sockets until it ends."""
        self._servers: list[asyncio.AbstractServer] = []

    def connection(self) -> ServerConnection:
        """A protocol for one accepted socket."""
        return ServerConnection(self)

    def turn_away(self, connection: ServerConnection) -> bool:
        """Whether a connection that has no room may stay to read so; the drain cuts it."""
        if len(self.turned_away) >= _TURNED_AWAY_MAX:
            self.rejected(Reject(503, "connections_max"))
            return False
        self.turned_away.add(connection)
        return True

    def serve(self, server: asyncio.AbstractServer) -> None:
        """Take over a listening server, to be closed by the drain."""
        self._servers.append(server)

    async def drain(self, within_s: float) -> bool:
        """Stop accepting, finish what runs, cut the rest; True when all ended by itself."""
        self.draining = True
        for server in self._servers:
            server.close()
        for connection in list(self.connections):
            connection.close_if_idle()
        ends_at = self.now() + within_s
        while self.busy and self.now() < ends_at:
            await asyncio.sleep(_DRAIN_POLL_S)
        finished = not self.busy
        for connection in list(self.busy):
            connection.cancel()
        while self.connections and self.now() < ends_at:
            await asyncio.sleep(_DRAIN_POLL_S)
        for connection in [*self.connections, *self.turned_away]:
            connection.abort()
        return finished
