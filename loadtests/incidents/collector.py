"""`python -m loadtests.incidents.collector MODE_FILE`: an OTLP collector that misbehaves on demand.

The file says how, and is looked at all the time: `takes` everything, `hangs`,
`floods` with an endless answer, `refuses` connections, or `errs` with 500.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

MODES = ("takes", "hangs", "floods", "refuses", "errs")
_LOOK_S = 0.02
_TAKEN = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_FAILED = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_ENDLESS = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\n\r\n"


async def answer(
    mode: Callable[[], str], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """One connection, as the mode has it at its request and from then on."""
    with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        if mode() == "floods":
            writer.write(_ENDLESS)
            while mode() == "floods":
                writer.write(b"x" * 65536)
                await writer.drain()
        while mode() == "hangs":
            await asyncio.sleep(_LOOK_S)
        writer.write(_FAILED if mode() == "errs" else _TAKEN)
        await writer.drain()
    writer.close()


async def serve(path: Path) -> None:
    """Listen on one port, except while connections are to be refused."""

    def mode() -> str:
        return path.read_text(encoding="ascii").strip()

    port = 0
    while True:
        server = await asyncio.start_server(lambda *both: answer(mode, *both), "127.0.0.1", port)
        if not port:
            port = server.sockets[0].getsockname()[1]
            print(f"collector ready http://127.0.0.1:{port}", flush=True)
        while mode() != "refuses":
            await asyncio.sleep(_LOOK_S)
        server.close()
        while mode() == "refuses":
            await asyncio.sleep(_LOOK_S)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
