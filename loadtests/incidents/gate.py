"""A gate before a partner: closed, it lets nobody connect; open, it passes everything on.

A full backlog drops every further SYN, so a caller hangs in its connect phase;
the kernel tries again by itself, also for a process that is stopped.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from urllib.parse import urlsplit


class Gate:
    """Listens on `url`; connections go to the partner at `target` once it is open."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 0)
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        self._listener.setblocking(False)
        self._fillers: list[socket.socket] = []
        self._server: asyncio.AbstractServer | None = None
        host, port = self._listener.getsockname()
        self.url = f"http://{host}:{port}"
        self._fill()

    def _fill(self) -> None:
        for _ in range(4):
            filler = socket.socket()
            filler.setblocking(False)
            filler.connect_ex(self._listener.getsockname())
            self._fillers.append(filler)

    async def open(self) -> None:
        """From now on everybody who connects, or has been trying to, gets through."""
        for filler in self._fillers:
            filler.close()
        self._server = await asyncio.start_server(self._pass_on, sock=self._listener, backlog=128)

    async def close(self) -> None:
        """Nobody listens any more."""
        if self._server is not None:
            self._server.close()
        self._listener.close()
        for filler in self._fillers:
            filler.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Both directions until one of them ends."""
        with contextlib.suppress(OSError):
            other, there = await asyncio.open_connection(*self._target)
            ways = (_copy(reader, there), _copy(other, writer))
            await asyncio.wait(
                [asyncio.ensure_future(way) for way in ways], return_when=asyncio.FIRST_COMPLETED
            )
            there.transport.abort()
        writer.transport.abort()


async def _copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
