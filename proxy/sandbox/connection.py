"""One accepted connection: aiohttp's parser and loop, with our grip on the transport.

Three things are added to aiohttp's handler. A connection can be frozen (the
blackhole: nothing is read on, nothing goes out); somebody can wait for its
end; and something can be done to it once it has been idle for a while.
"""

from __future__ import annotations

import array
import asyncio
import fcntl
import socket
import struct
import sys
import termios
import time
import traceback
from collections.abc import Callable

from aiohttp import web

from proxy.sandbox.stats import Stats

KEEPALIVE_S = 3600.0
"""So long that only rules, never the simulator's own patience, close a connection."""

FLUSH_S = 0.5
"""How long a cut waits for the peer's kernel to have the bytes that go before it."""


class Gate:
    """Whether anything passes; shut while the partner is a blackhole."""

    def __init__(self) -> None:
        self._open = asyncio.Event()
        self._open.set()

    @property
    def shut(self) -> bool:
        """True while nothing may be read or written."""
        return not self._open.is_set()

    def close(self) -> None:
        """From now on nothing passes."""
        self._open.clear()

    def open(self) -> None:
        """Let everything pass that has waited."""
        self._open.set()

    async def passable(self) -> None:
        """Wait until something may be written."""
        await self._open.wait()


class Connection(web.RequestHandler):
    """A connection of the partner's port."""

    def __init__(self, server: web.Server, gate: Gate, stats: Stats) -> None:
        super().__init__(
            server,
            loop=asyncio.get_running_loop(),
            keepalive_timeout=KEEPALIVE_S,
            access_log=None,  # type: ignore[arg-type] # aiohttp's own way of switching it off
        )
        self.received_at = 0.0
        """Monotonic instant at which the first byte of the request in hand came."""
        self.when_made: Callable[[Connection], None] | None = None
        self._gate = gate
        self._stats = stats
        self._held = b""
        self._pieces = 0
        self._idle = True
        self._ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A peer is there; while the gate is shut it only seems so to the peer."""
        super().connection_made(transport)
        if self._gate.shut:
            self.freeze()
        if self.when_made is not None:
            self.when_made(self)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Tell whoever waits for the end."""
        super().connection_lost(exc)
        if not self._ended.done():
            self._ended.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Note when a request begins, then let aiohttp parse; hold everything while frozen."""
        if self._gate.shut:
            self._held += data
            return
        if data:
            self._pieces += 1
            if self._idle:
                self._idle = False
                self.received_at = time.perf_counter()
        super().data_received(data)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer without repeating anything; aiohttp's own version logs and echoes what it read."""
        if status == 400:
            self._stats.bad_requests += 1
        else:
            self._stats.bugs += 1
            place = traceback.extract_tb(exc.__traceback__)[-1] if exc else None
            where = f"{place.filename}:{place.lineno}" if place else "?"
            sys.stderr.write(f"sandbox bug: {type(exc).__name__} at {where}\n")
        refusal = web.Response(status=status, text="bad request\n" if status == 400 else "bug\n")
        refusal.force_close()
        return refusal

    def freeze(self) -> None:
        """Stop reading, so that nothing is taken in and no end of the peer is noticed."""
        if self.transport is not None and self.transport.is_reading():
            self.transport.pause_reading()

    def thaw(self) -> None:
        """Go on where `freeze` stopped."""
        if self.transport is None:
            return
        if not self.transport.is_reading():
            self.transport.resume_reading()
        held, self._held = self._held, b""
        if held:
            self.data_received(held)

    def answered(self) -> None:
        """An answer is complete: the next byte begins another request."""
        self._idle = True

    async def ended(self) -> None:
        """Wait until the connection is gone."""
        await asyncio.shield(self._ended)

    def when_idle(
        self, delay_s: float, act: Callable[[asyncio.Transport], None], *, considerate: bool
    ) -> None:
        """Do something after a while, if no request has come until then; at once without delay.

        A considerate act also spares a request that waits in the kernel: what
        it writes could otherwise pass for the answer, and nobody could tell.
        """
        pieces = self._pieces

        def fire() -> None:
            transport = self.transport
            if transport is None or transport.is_closing() or self._gate.shut:
                return
            if self._pieces == pieces and not (considerate and unread_bytes(transport)):
                act(transport)

        if delay_s:
            asyncio.get_running_loop().call_later(delay_s, fire)
        else:
            fire()

    async def write(self, data: bytes) -> bool:
        """Write once the gate is open; False if the peer has gone."""
        await self._gate.passable()
        transport = self.transport
        if transport is None or transport.is_closing():
            return False
        if data:
            transport.write(data)
        return True

    async def cut(self, *, reset: bool) -> None:
        """End the connection after what was written has arrived: RST, or FIN without more ado."""
        await self._gate.passable()
        deadline = time.monotonic() + FLUSH_S
        while (transport := self.transport) is not None and not transport.is_closing():
            await asyncio.sleep(0)
            if not _under_way(transport) or time.monotonic() > deadline:
                abort(transport, reset=reset)
                return


def abort(transport: asyncio.Transport, *, reset: bool) -> None:
    """Close at once: with RST if asked, else as the kernel does it (FIN when all was read)."""
    if reset:
        endpoint: socket.socket = transport.get_extra_info("socket")
        endpoint.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def unread_bytes(transport: asyncio.Transport) -> int:
    """Bytes of the peer that wait in the kernel."""
    return _socket_count(transport, termios.FIONREAD)


def _under_way(transport: asyncio.Transport) -> int:
    """Bytes written that the peer's kernel does not have yet."""
    return transport.get_write_buffer_size() + _socket_count(transport, termios.TIOCOUTQ)


def _socket_count(transport: asyncio.Transport, request: int) -> int:
    answer = array.array("i", [0])
    fcntl.ioctl(transport.get_extra_info("socket").fileno(), request, answer)
    return answer[0]
