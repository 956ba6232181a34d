"""A plain HTTP relay on aiohttp, written as well as aiohttp allows; a subject of the bench.

No router (`web.Server` is the fastest form of its server), one client session with a keep-alive
pool without limit, no cookies, no decompression, redirects passed on, uvloop, log lines through
a 64 KiB buffer.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

import aiohttp
import uvloop
from aiohttp import web
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from loadtests.bench.serving import serve_until_ended

HOP_BY_HOP = frozenset(
    (
        *("connection", "keep-alive", "proxy-authenticate", "proxy-authorization", "te"),
        *("trailer", "transfer-encoding", "upgrade", "host", "content-length"),
    )
)
LOG_BUFFER_BYTES = 64 * 1024
TIMEOUT = aiohttp.ClientTimeout(total=30, connect=4)

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


def end_to_end(headers: CIMultiDictProxy[str]) -> CIMultiDict[str]:
    """The headers that a relay passes on."""
    return CIMultiDict(
        (name, value) for name, value in headers.items() if name.lower() not in HOP_BY_HOP
    )


def make_handler(session: aiohttp.ClientSession, upstream: str, log: TextIO) -> Handler:
    """A handler that relays one request, whole in both directions, and logs it."""

    async def relay(request: web.BaseRequest) -> web.StreamResponse:
        began = time.monotonic()
        status = 502
        try:
            body = await request.read()
            async with session.request(
                request.method,
                URL(f"http://{upstream}{request.rel_url.raw_path_qs}", encoded=True),
                data=body or None,
                headers=end_to_end(request.headers),
                allow_redirects=False,
            ) as answer:
                content = await answer.read()
                status = answer.status
                return web.Response(status=status, body=content, headers=end_to_end(answer.headers))
        except aiohttp.ClientError:
            return web.Response(status=502)
        finally:
            line = {
                "time": datetime.now(UTC).isoformat(),
                "method": request.method,
                "path": request.rel_url.raw_path,
                "status": status,
                "duration_ms": round((time.monotonic() - began) * 1000, 3),
                "upstream": upstream,
            }
            log.write(json.dumps(line) + "\n")

    return relay


async def serve(port: int, upstream: str, log: TextIO) -> None:
    """Relay until SIGTERM."""
    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=75),
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
        timeout=TIMEOUT,
    ) as session:
        server = web.Server(make_handler(session, upstream, log), access_log=None)
        await serve_until_ended(web.ServerRunner(server), port)


def main() -> None:
    """Command line of the relay process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream-port", type=int, required=True)
    parser.add_argument("--log", type=Path, required=True)
    args = parser.parse_args()
    with args.log.open("w", encoding="utf-8", buffering=LOG_BUFFER_BYTES) as log:
        uvloop.run(serve(args.port, f"127.0.0.1:{args.upstream_port}", log))


if __name__ == "__main__":
    main()
