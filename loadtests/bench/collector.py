"""A collector for subjects with telemetry: takes OTLP over HTTP, counts, keeps nothing else.

It is the scraper, too: while a subject is measured, it asks for the subject's
metrics every few seconds, as Prometheus would. So both sides of a comparison
have the same receiver and the same reader. One process on the load core for the
whole run (`python -m loadtests.bench.collector --port N`); `telemetry.py` talks to it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
from collections import Counter
from dataclasses import dataclass, field

import aiohttp
import uvloop
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadtests.bench.serving import serve_until_ended

BODY_BYTES_MAX = 16 * 1024 * 1024
SCRAPE_TIMEOUT_S = 5.0
PROTOBUF = "application/x-protobuf"


@dataclass(slots=True)
class Seen:
    """What came since the watch began. `page` is the last scrape."""

    traces: dict[str, set[bytes]] = field(default_factory=dict)
    """By `service.name`."""
    spans: Counter[str] = field(default_factory=Counter)
    exports: Counter[str] = field(default_factory=Counter)
    """Requests, by signal."""
    scrapes: int = 0
    failures: int = 0
    page: str = ""

    def take(self, body: bytes) -> None:
        """Count an export of traces. Raises protobuf's DecodeError for what is none."""
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            name = next(
                (
                    pair.value.string_value
                    for pair in resource.resource.attributes
                    if pair.key == "service.name"
                ),
                "",
            )
            traces = self.traces.setdefault(name, set())
            for scope in resource.scope_spans:
                self.spans[name] += len(scope.spans)
                traces.update(span.trace_id for span in scope.spans)

    def told(self) -> dict[str, object]:
        """As plain data."""
        return {
            "traces": {name: len(ids) for name, ids in self.traces.items()},
            "spans": dict(self.spans),
            "exports": dict(self.exports),
            "scrapes": self.scrapes,
            "failures": self.failures,
            "page": self.page,
        }


class Collector:
    """Answers exports, and the bench's own questions below `/bench`."""

    def __init__(self) -> None:
        self._seen = Seen()
        self._scraping: asyncio.Task[None] | None = None
        self._url = ""

    def app(self) -> web.Application:
        """The routes of both."""
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        app.add_routes(
            [
                web.post("/v1/traces", self._traces),
                web.post("/v1/metrics", self._metrics),
                web.post("/bench/begin", self._begin),
                web.post("/bench/rest", self._rest),
                web.get("/bench/seen", self._tell),
            ]
        )
        return app

    async def _traces(self, request: web.Request) -> web.Response:
        self._seen.exports["traces"] += 1
        self._seen.take(await request.read())
        return web.Response(content_type=PROTOBUF)

    async def _metrics(self, request: web.Request) -> web.Response:
        await request.read()
        self._seen.exports["metrics"] += 1
        return web.Response(content_type=PROTOBUF)

    async def _begin(self, request: web.Request) -> web.Response:
        """Forget what came before, and scrape `url` each `every_s` from now on."""
        asked = await request.json()
        await self._stop()
        self._seen, self._url = Seen(), asked["url"]
        self._scraping = asyncio.create_task(self._scrape_on(asked["every_s"]))
        return web.json_response({})

    async def _rest(self, _: web.Request) -> web.Response:
        """Scrape once more, so that the page has all calls, and then no more."""
        await self._stop()
        async with aiohttp.ClientSession() as session:
            await self._scrape(session)
        return web.json_response({})

    async def _tell(self, _: web.Request) -> web.Response:
        return web.json_response(self._seen.told())

    async def _stop(self) -> None:
        if self._scraping is not None:
            self._scraping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._scraping
            self._scraping = None

    async def _scrape_on(self, every_s: float) -> None:
        async with aiohttp.ClientSession() as session:
            while True:
                await self._scrape(session)
                await asyncio.sleep(every_s)

    async def _scrape(self, session: aiohttp.ClientSession) -> None:
        timeout = aiohttp.ClientTimeout(total=SCRAPE_TIMEOUT_S)
        try:
            async with session.get(self._url, timeout=timeout) as answer:
                page = await answer.text()
        except (aiohttp.ClientError, TimeoutError):
            self._seen.failures += 1
            return
        self._seen.failures += answer.status != 200
        self._seen.scrapes += 1
        self._seen.page = page


async def serve(port: int) -> None:
    """Until SIGTERM."""
    await serve_until_ended(web.AppRunner(Collector().app(), access_log=None), port)


def main() -> None:
    """Command line of the collector process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvloop.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
