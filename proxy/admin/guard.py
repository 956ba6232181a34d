"""Who is served by the admin listener, and what a browser may do with what it gets.

Any Host that is not this machine is refused, that is how DNS rebinding shows; so is a
request that a page of another origin could make. Our own page may change something
only where a token is asked for.
"""

from __future__ import annotations

import asyncio
import re
import socket

from aiohttp import web
from aiohttp.typedefs import Handler as WebHandler
from aiohttp.typedefs import Middleware

_HOSTS = frozenset(("127.0.0.1", "localhost", "[::1]"))
_PORT = re.compile(r":[0-9]*$")
_SECURITY_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_READING = frozenset(("GET", "HEAD"))


def guard(token: bytes | None) -> Middleware:
    """What stands before every page."""

    @web.middleware
    async def guarded(request: web.Request, handler: WebHandler) -> web.StreamResponse:
        refused = _refusal(request, writable=token is not None)
        if refused is not None:
            return refused
        try:
            return await handler(request)
        except web.HTTPException as error:
            return web.Response(status=error.status, text=f"{error.reason}\n")

    return guarded


async def dress(_: web.Request, response: web.StreamResponse) -> None:
    """What a browser may do with it; a page that says so itself may load its own files."""
    for name, value in _SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Server"] = "tidegate"


def _refusal(request: web.Request, *, writable: bool) -> web.Response | None:
    """Why this request is not served. `request.host` is no use: without a Host it asks DNS."""
    said = request.headers.get("Host", "").lower()
    host, origin = _PORT.sub("", said), request.headers.get("Origin")
    if request.transport is not None and not _is_unix(request.transport) and host not in _HOSTS:
        return web.Response(status=421, text="unknown host\n")
    fetch_site = request.headers.get("Sec-Fetch-Site", "none")
    ours = origin is None or (origin == f"http://{said}" and host in _HOSTS)
    if not ours or fetch_site not in ("none", "same-origin"):
        return web.Response(status=403, text="requests of other origins are not accepted\n")
    if origin is not None and request.method not in _READING and not writable:
        return web.Response(status=403, text="read-only: set `admin.token`\n")
    return None


def _is_unix(transport: asyncio.BaseTransport) -> bool:
    bound = transport.get_extra_info("socket")
    return bound is not None and bound.family == socket.AF_UNIX
