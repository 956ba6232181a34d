"""A partner that takes as long as it is asked to, and says how long it really took."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from multiprocessing.connection import Connection
from typing import cast

import uvloop


class Partner(asyncio.Protocol):
    """Answers each request after `X-Delay-Us` microseconds; `X-Took-Us` is its own time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Collect one request and put its answer off."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self._buffer) < end + 4 + length:
            return
        self._buffer = self._buffer[end + 4 + length :]
        delay_us = int(head.partition(b"x-delay-us: ")[2].partition(b"\r\n")[0])
        asyncio.get_running_loop().call_later(delay_us / 1e6, self._answer, time.perf_counter())

    def _answer(self, began_at: float) -> None:
        took_us = (time.perf_counter() - began_at) * 1e6
        if not self._transport.is_closing():
            self._transport.write(
                b"HTTP/1.1 200 OK\r\nX-Took-Us: %d\r\nContent-Length: 15\r\n\r\n"
                b'{"paid": "yes"}' % took_us
            )


async def _serve(pipe: Connection) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Partner, "127.0.0.1", 0, backlog=1024)
    asked = asyncio.Event()
    loop.add_reader(pipe.fileno(), asked.set)
    pipe.send(server.sockets[0].getsockname()[1])
    await asked.wait()
    loop.remove_reader(pipe.fileno())
    os.set_blocking(pipe.fileno(), True)  # add_reader took that from it
    server.close()


def main(pipe: Connection) -> None:
    """Entry point of the process: sends its port and serves until it is told anything."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(pipe))
