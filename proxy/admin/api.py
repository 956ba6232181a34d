"""The admin listener, on aiohttp: health, readiness, metrics, findings, calls, and the dashboard.

Some pages take something in (calls.py, orders.py), the others are read-only. Requests that a
browser page of another origin could make are refused, and so is any Host that is
not this machine: the findings name partners, and nobody else's page should read
them. Our own page may change something only where a token is asked for.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web, web_protocol

from proxy.admin import dashboard, health, orders
from proxy.admin.calls import BODY_BYTES_MAX, Desk, pages
from proxy.admin.guard import dress, guard
from proxy.model.errors import StartError

_SILENT = logging.getLogger("tidegate.admin.silent")
_SILENT.addHandler(logging.NullHandler())
_SILENT.propagate = False
"""aiohttp logs the raw bytes of bad requests; a payment sent to the wrong port holds a card."""


def _nobody(_: BaseException) -> None:
    """Nobody is told."""


@dataclass(frozen=True, slots=True)
class Reports:
    """What the listener serves, as functions of the composition root."""

    ready: Callable[[], bool]
    metrics: Callable[[], str]
    findings: Callable[[], dict[str, Any]]
    desk: Desk | None = None
    """None without a journal."""
    token: bytes | None = None
    """What whoever brings news must show; None: nothing."""
    dns: Callable[[], dict[str, Any]] = dict
    routes: orders.Desk | None = None
    load: Callable[[], dict[str, Any]] = dict
    health: health.Desk | None = None
    dashboard: dashboard.Desk | None = None
    bug: Callable[[BaseException], None] = _nobody


class _Handler(web_protocol.RequestHandler):
    """aiohttp's connection, without its habit of repeating offending bytes."""

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        response = web.Response(status=status, text="bad request\n")
        response.force_close()
        return response


def application(reports: Reports) -> web.Application:
    """The routes of the admin listener."""

    async def healthz(_: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def readyz(_: web.Request) -> web.Response:
        ready = reports.ready()
        return web.Response(
            status=200 if ready else 503, text="ready\n" if ready else "not ready\n"
        )

    async def metrics(_: web.Request) -> web.Response:
        return web.Response(
            text=reports.metrics(),
            headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"},
        )

    async def findings(_: web.Request) -> web.Response:
        return web.json_response(reports.findings())

    async def dns(_: web.Request) -> web.Response:
        return web.json_response(reports.dns())

    async def load(_: web.Request) -> web.Response:
        return web.json_response(reports.load())

    live = dashboard.make_live(reports.dashboard, reports.bug)
    app = web.Application(middlewares=[guard(reports.token)], client_max_size=BODY_BYTES_MAX)
    app.on_response_prepare.append(dress)
    if live is not None:
        app.on_shutdown.append(lambda _: live.close())
    app.add_routes(
        [
            web.get("/healthz", healthz),
            web.get("/readyz", readyz),
            web.get("/metrics", metrics),
            web.get("/findings", findings),
            web.get("/dns", dns),
            web.get("/load", load),
            *pages(reports.desk, reports.token),
            *orders.pages(reports.routes, reports.token),
            *health.pages(reports.health),
            *dashboard.pages(reports.dashboard, live),
        ]
    )
    return app


@dataclass(slots=True)
class AdminListener:
    """A running admin listener; `url` is where it answers."""

    url: str
    _runner: web.AppRunner
    _server: asyncio.AbstractServer

    async def close(self) -> None:
        """Stop accepting and end open connections; a Unix socket is taken away."""
        if self.url.startswith("unix:"):
            _leave_unix(self.url.removeprefix("unix:"))
        self._server.close()
        await self._runner.cleanup()


async def start(
    reports: Reports, host: str, port: int, unix_path: str | None, unix_mode: int
) -> AdminListener:
    """Listen on TCP, or on a Unix socket when `unix_path` is given. Raises StartError."""
    loop = asyncio.get_running_loop()
    runner = web.AppRunner(application(reports), access_log=None, logger=_SILENT)
    await runner.setup()
    shared = runner.server
    assert shared is not None

    def connection() -> _Handler:
        return _Handler(shared, loop=loop, **shared._kwargs)

    try:
        bound = _bind_unix(unix_path, unix_mode) if unix_path else _bind_tcp(host, port)
    except OSError as error:
        await runner.cleanup()
        raise StartError(
            f"cannot listen on {unix_path or f'{host}:{port}'}: {error.strerror or error}; end the "
            "process that holds it, or change `admin.address`"
        ) from None
    url = f"unix:{unix_path}" if unix_path else _url(bound)
    if unix_path:
        return AdminListener(url, runner, await loop.create_unix_server(connection, sock=bound))
    return AdminListener(url, runner, await loop.create_server(connection, sock=bound))


def _bind_tcp(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family)


def _bind_unix(path: str, mode: int) -> socket.socket:
    """A socket with this mode from its first instant; one left by a dead sidecar is replaced."""
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)
    try:
        if os.path.exists(path) and stat.S_ISSOCK(os.stat(path).st_mode) and _is_dead(path):
            os.unlink(path)
        bound.bind(path)
        os.chmod(path, mode)
    except OSError:
        bound.close()
        raise
    finally:
        os.umask(before)
    return bound


def _leave_unix(path: str) -> None:
    Path(path).unlink(missing_ok=True)


def _is_dead(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False


def _url(bound: socket.socket) -> str:
    host, port = bound.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
