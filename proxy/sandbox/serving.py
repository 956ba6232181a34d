"""The partner's port at work: each request becomes an exchange, with the faults it meets."""

from __future__ import annotations

import asyncio
from typing import cast

from aiohttp import web

from proxy.sandbox.connection import Connection, Gate
from proxy.sandbox.endpoints import Partner
from proxy.sandbox.exchange import Exchange
from proxy.sandbox.faults import IN_PLACE, afterwards, stray
from proxy.sandbox.ledger import LedgerError
from proxy.sandbox.message import PartnerRequest, body_object
from proxy.sandbox.options import PartnerOptions
from proxy.sandbox.rules import Rulebook
from proxy.sandbox.stats import Stats
from proxy.sandbox.workers import Workers


class Written(web.StreamResponse):
    """Tells aiohttp that the answer is out already, byte for byte as we wanted it."""

    def __init__(self, *, keep_alive: bool) -> None:
        super().__init__()
        self._lives_on = keep_alive

    @property
    def keep_alive(self) -> bool:
        """Whether aiohttp is to wait for another request."""
        return self._lives_on

    async def prepare(self, request: web.BaseRequest) -> None:
        """Nothing: the head is out."""

    async def write_eof(self, data: bytes = b"") -> None:
        """Nothing: the body is out."""


class Desk:
    """Takes the requests of one partner's port."""

    def __init__(self, partner: Partner, options: PartnerOptions) -> None:
        self.stats = Stats()
        self.rulebook = Rulebook(options.seed)
        self.gate = Gate()
        self.workers = Workers()
        self._partner = partner
        self._options = options
        self._server = web.Server(self._serve)

    @property
    def connections(self) -> list[Connection]:
        """The connections that are open."""
        return [cast(Connection, found) for found in self._server.connections]

    def staff(self) -> None:
        """Have as many workers as the rules in force say."""
        rule = self.rulebook.workers()
        if rule is None:
            self.workers.unlimited()
        else:
            self.workers.limit(rule.params["workers"], rule.params["queue_max"])
            self.stats.faults[rule.kind] += 1

    def adopt(self) -> asyncio.Protocol:
        """The protocol for one more connection."""
        connection = Connection(self._server, self.gate, self.stats)
        connection.when_made = self._fresh
        return connection

    def _fresh(self, connection: Connection) -> None:
        """A new connection; a 408 may come before it ever carried a request."""
        self.stats.connections_total += 1
        rule = self.rulebook.fresh_connection(self.stats.connections_total)
        if rule is not None:
            afterwards(connection, self.stats, rule)

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        connection = cast(Connection, request.protocol)
        self.stats.requests += 1
        asked = await self._read(request)
        exchange = Exchange(
            self._partner,
            self._options,
            self.stats,
            connection,
            asked,
            self.rulebook.plan(asked),
            request.keep_alive,
            self.workers,
        )
        try:
            lives_on = await self._answer(exchange)
        except LedgerError:
            # Nothing may be said of what is not on disk; the process ends in a moment.
            connection.force_close()
            lives_on = False
        return Written(keep_alive=lives_on)

    async def _answer(self, exchange: Exchange) -> bool:
        """Answer, or do what stands in an answer's place; whether the connection lives on."""
        in_place, after = exchange.plan.answer, exchange.plan.afterwards
        connection = exchange.connection
        if in_place is not None:
            lives_on = await IN_PLACE[in_place.kind](exchange, in_place)
            connection.answered()
        else:
            data = exchange.wire(await exchange.execute()).encode()
            lives_on = exchange.keep_alive
            if after is not None and after.kind == "stray_bytes" and not after.params["delay_ms"]:
                data, after = data + stray(after), None
                self.stats.faults["stray_bytes"] += 1
            connection.answered()
            lives_on = await connection.write(data) and lives_on
        if after is not None and lives_on:
            afterwards(connection, self.stats, after)
        return lives_on

    async def _read(self, request: web.BaseRequest) -> PartnerRequest:
        if request.headers.get("Expect", "").lower() == "100-continue" and request.transport:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body, problem = body_object(await request.read())
        nonce = request.headers.get("Sandbox-Nonce", body.get("nonce"))
        return PartnerRequest(
            method=request.method,
            path=request.path,
            query=dict(request.query),
            body=body,
            operation=self._partner.endpoints.operation(request.method, request.path),
            nonce=nonce if isinstance(nonce, str) else None,
            idempotency_key=request.headers.get("Idempotency-Key"),
            problem=problem,
        )
