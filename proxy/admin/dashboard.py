"""The dashboard: its files, what it is told as it changes, and what it asks for.

The files are a closed set, read once; a page may load nothing from elsewhere
and run nothing that stands in it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

from aiohttp import web

from proxy.admin.calls import answer, problem
from proxy.admin.live import Live, Piece, serve

FOLDER = Path(__file__).parent / "page"
_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "object-src 'none'"
)
"""Of the page itself; everything else that the listener serves may load nothing at all."""


class Desk(Protocol):
    """What the house tells the dashboard, as documents."""

    def pieces(self) -> Iterator[Piece]:
        """Everything at a glance, each piece made when it is asked for."""

    def partner(self, name: str) -> dict[str, Any] | None:
        """One partner from close by, or None for no such."""

    def config(self) -> dict[str, Any]:
        """What is in force, and where it differs from the file."""

    async def doubts(self) -> tuple[int, dict[str, Any]]:
        """(status, document) of the calls that are in doubt."""


def files(folder: Path = FOLDER) -> dict[str, tuple[bytes, str]]:
    """Name -> content and type of each file of the page."""
    return {
        each.name: (each.read_bytes(), _KINDS[each.suffix])
        for each in folder.iterdir()
        if each.suffix in _KINDS
    }


def pages(desk: Desk | None, live: Live | None) -> list[web.RouteDef]:
    """The routes; none without a desk."""
    if desk is None or live is None:
        return []
    found = files()

    async def index(_: web.Request) -> web.Response:
        return _file(*found["index.html"])

    async def file(request: web.Request) -> web.Response:
        name = request.match_info["name"]
        if name not in found:
            return problem(404, "no_file", "There is no such file.")
        return _file(*found[name])

    async def events(request: web.Request) -> web.StreamResponse:
        return await serve(live, request)

    async def partner(request: web.Request) -> web.Response:
        document = desk.partner(request.match_info["name"])
        if document is None:
            return problem(404, "no_partner", "There is no such partner.")
        return answer(200, document)

    async def config(_: web.Request) -> web.Response:
        return answer(200, desk.config())

    async def doubts(_: web.Request) -> web.Response:
        return answer(*await desk.doubts())

    return [
        web.get("/", index),
        web.get("/page/{name}", file),
        web.get("/live", events),
        web.get("/partners/{name}", partner),
        web.get("/config", config),
        web.get("/doubts", doubts),
    ]


def make_live(desk: Desk | None, bug: Callable[[BaseException], None]) -> Live | None:
    """What tells pages of changes."""
    return None if desk is None else Live(desk.pieces, bug)


def _file(content: bytes, kind: str) -> web.Response:
    headers = {"Content-Security-Policy": POLICY} if kind == "text/html" else {}
    return web.Response(body=content, content_type=kind, charset="utf-8", headers=headers)
