"""A forward proxy for CONNECT: an asyncio server in a thread of its own, with faults.

It looks names up in `ways`, as a real one would with its own name servers, and
asks for credentials if it is given some. What it says can be replaced byte for byte.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import ssl
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self

TIMEOUT_S = 10.0
OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSED = b"HTTP/1.1 %d No\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno"


@dataclass(frozen=True, slots=True)
class Asked:
    """One CONNECT: where to, every header line, and the address that it came from."""

    to: str
    lines: tuple[str, ...]
    peer: str


class ForwardProxy:
    """Listens on 127.0.0.1; use as a context manager. Attributes may be changed at any time."""

    def __init__(
        self, ways: dict[str, int] | None = None, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self.ways = ways or {}
        """`host:port` as it is asked for, to a port of 127.0.0.1; all else is 502."""
        self.user: str | None = None
        """`name:password` that it insists on."""
        self.reply: bytes | None = None
        """Said in place of everything else, after which the connection stays open."""
        self.opened = OPENED
        """Said when a tunnel stands."""
        self.hangs_up = False
        """Closes in place of a reply."""
        self.asked: list[Asked] = []
        self._tls = tls
        self._loop = asyncio.new_event_loop()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(TIMEOUT_S)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_S)
        self._loop.close()

    def stop(self) -> None:
        """Listen no more, and cut every tunnel."""
        asyncio.run_coroutine_threadsafe(self._stop(), self._loop).result(TIMEOUT_S)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self._tls)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._serve(reader, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass  # one of the two hung up, or the proxy was stopped
        finally:
            self._tasks.discard(task)
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.removesuffix("\r\n\r\n").split("\r\n")
        method, to, version = first.split(" ")
        assert (method, version) == ("CONNECT", "HTTP/1.1")
        self.asked.append(Asked(to, tuple(lines), writer.get_extra_info("peername")[0]))
        if self.hangs_up:
            return
        if self.reply is not None:
            writer.write(self.reply)
            await reader.read()  # whatever comes, until the other side ends it
            return
        if not self._admits(lines):
            writer.write(REFUSED % 407)
        elif to not in self.ways:
            writer.write(REFUSED % 502)
        else:
            await self._relay(reader, writer, self.ways[to])
            return
        await writer.drain()

    def _admits(self, lines: list[str]) -> bool:
        if self.user is None:
            return True
        wanted = base64.b64encode(self.user.encode()).decode()
        return f"Proxy-Authorization: Basic {wanted}" in lines

    async def _relay(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, port: int
    ) -> None:
        try:
            theirs, to_them = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            writer.write(REFUSED % 502)
            return
        writer.write(self.opened)
        with contextlib.closing(to_them):
            await asyncio.gather(_pump(reader, to_them), _pump(theirs, writer))


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
