"""An aiohttp server on loopback, as a process that ends when it is told to."""

from __future__ import annotations

import asyncio
import signal

from aiohttp import web


async def serve_until_ended(runner: web.BaseRunner, port: int) -> None:
    """Serve until SIGTERM."""
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await stop.wait()
    await runner.cleanup()
