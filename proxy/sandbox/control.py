"""The control site of a partner: faults, statistics and the ledger, on a port of its own.

It is not the port under test, so it keeps answering whatever the faults do.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Protocol

from aiohttp import web

from proxy.sandbox.ledger import Ledger
from proxy.sandbox.listener import HOST
from proxy.sandbox.rules import Rule, RuleError, read_rules


class Controlled(Protocol):
    """What the control site steers."""

    @property
    def rules(self) -> list[Rule]:
        """The rules in force."""

    def apply(self, rules: list[Rule]) -> None:
        """Put other rules in force, at once; raises RuleError where this system cannot."""

    def stats(self) -> dict[str, Any]:
        """What `GET /stats` tells."""


class Control:
    """The handlers of the control site."""

    def __init__(self, controlled: Controlled, ledger: Ledger) -> None:
        self._controlled = controlled
        self._ledger = ledger

    async def start(self, port: int) -> web.AppRunner:
        """Listen on 127.0.0.1; the caller cleans the runner up."""
        app = web.Application()
        app.router.add_get("/faults", self._get_faults)
        app.router.add_put("/faults", self._put_faults)
        app.router.add_delete("/faults", self._delete_faults)
        app.router.add_get("/stats", self._get_stats)
        app.router.add_get("/ledger", self._get_ledger)
        app.router.add_get("/healthz", self._healthz)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, HOST, port).start()
        return runner

    async def _get_faults(self, _: web.Request) -> web.Response:
        return web.json_response([dict(rule.source) for rule in self._controlled.rules])

    async def _put_faults(self, request: web.Request) -> web.Response:
        try:
            found = json.loads(await request.read())
        except (ValueError, RecursionError):
            return web.json_response({"error": "the body is not JSON"}, status=400)
        try:
            self._controlled.apply(read_rules(found))
        except RuleError as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return await self._get_faults(request)

    async def _delete_faults(self, request: web.Request) -> web.Response:
        self._controlled.apply([])
        return await self._get_faults(request)

    async def _get_stats(self, _: web.Request) -> web.Response:
        return web.json_response(self._controlled.stats())

    async def _get_ledger(self, request: web.Request) -> web.Response:
        since = request.query.get("since", "0")
        if not since.isdecimal():
            return web.json_response({"error": "since must be a sequence number"}, status=400)
        rows = await asyncio.to_thread(self._ledger.since, int(since))
        return web.Response(body=rows, content_type="application/json")

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})
