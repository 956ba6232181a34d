"""A partner that holds each answer as long as its call says, and tells how long it really was.

`python -m loadtests.viewers.partner --port N`. So what a call took besides is the sidecar's
share, and the generator's: the timer here may be late by a millisecond, which is told as well.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
import time
from typing import cast

import httptools
import uvloop


class Partner(asyncio.Protocol):
    """One connection; one call at a time, since the sidecar does not pipeline."""

    def __init__(self) -> None:
        self._parser = httptools.HttpRequestParser(self)
        self._body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep it."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_body(self, piece: bytes) -> None:
        """httptools: a piece of the request's body."""
        self._body += piece

    def on_message_complete(self) -> None:
        """httptools: the request is whole; its answer comes later."""
        began_at = time.monotonic()
        hold_s = json.loads(self._body)["hold_us"] / 1e6
        self._body = b""
        asyncio.get_running_loop().call_later(hold_s, self._answer, began_at)

    def _answer(self, began_at: float) -> None:
        held_us = round((time.monotonic() - began_at) * 1e6)
        body = b'{"status":"authorized","held_us":%d}' % held_us
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        self._transport.write(head % len(body) + body)


async def serve(port: int) -> None:
    """Until SIGTERM."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    server = await loop.create_server(Partner, "127.0.0.1", port, backlog=512)
    await stop.wait()
    server.close()


def main() -> None:
    """Command line of the partner's process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
