"""Subjects with telemetry: what they are told, what arrives, and what does not prove it was on."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web
from aiohttp.test_utils import BaseTestServer, TestServer
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from loadtests.bench.collector import Collector
from loadtests.bench.subjects import SUBJECTS, Place
from loadtests.bench.subjects.envoy import EnvoyTraced
from loadtests.bench.telemetry import Exports, Told, counted, export_problems, exported
from proxy.settings.load import load

TOLD = Told("shop", "/metrics", "calls_total{", "call_seconds_bucket")
PAGE = """\
# TYPE calls_total counter
calls_total{route="a"} 900
calls_total{route="b"} 1.1e3
call_seconds_bucket{le="1"} 2000
"""


def seen(**members: Any) -> dict[str, Any]:
    """What the collector tells after 2,000 calls of which 20 were traced."""
    told = {
        "traces": {"shop": 20, "another": 700},
        "spans": {"shop": 40},
        "exports": {"traces": 3, "metrics": 1},
        "scrapes": 5,
        "failures": 0,
        "page": PAGE,
    }
    return told | members


def problems(told: dict[str, Any], calls: int = 2000) -> list[str]:
    """What is found wrong with it."""
    return export_problems(exported(told, TOLD, calls), told, TOLD, calls)


def test_one_in_a_hundred_and_every_call_counted_is_proof() -> None:
    """Traces count by service, calls over all labels."""
    found = exported(seen(), TOLD, 2000)
    assert (found.traces, found.trace_share, found.spans) == (20, 0.01, 40)
    assert (found.trace_exports, found.metric_exports, found.scrapes) == (3, 1, 5)
    assert found.counted == counted(PAGE, TOLD.counter) == 2000
    assert problems(seen()) == []


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        (seen(traces={"another": 20}), "0 traces of 2000 calls arrived: 0.00%"),
        (seen(traces={"shop": 14}), "14 traces of 2000 calls arrived: 0.70%"),
        (seen(traces={"shop": 26}), "26 traces of 2000 calls arrived: 1.30%"),
        (seen(failures=1), "1 scrapes failed"),
        (seen(page="call_seconds_bucket 1\ncalls_total{} 1999"), "its metrics count 1999"),
        (seen(page=PAGE.replace("seconds", "minutes")), "no call_seconds_bucket"),
    ],
)
def test_telemetry_that_was_off_or_lost_is_a_problem(told: dict[str, Any], problem: str) -> None:
    """No ratio may hold because one of its two did less."""
    (found,) = problems(told)
    assert problem in found


async def test_the_collector_counts_by_service_and_scrapes_while_it_is_told_to() -> None:
    """Two spans of a trace are one trace; what came before the watch began does not count."""
    asked = 0

    async def page(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        return web.Response(text=PAGE)

    metrics = web.Application()
    metrics.add_routes([web.get("/metrics", page)])
    async with TestServer(metrics) as subject, TestServer(Collector().app()) as collector:
        assert subject.port is not None
        assert collector.port is not None
        exports = Exports(collector.port)
        await _export(collector, b"old")
        await asyncio.to_thread(exports.begin, TOLD, subject.port)
        await _export(collector, b"one")
        await asyncio.to_thread(exports.rest)
        found, problems = await asyncio.to_thread(exports.seen, TOLD, 100)
    assert (found.traces, found.spans, found.trace_exports) == (1, 2, 1)
    assert (found.scrapes, found.counted) == (asked, 2000)
    assert asked >= 1
    assert problems == []


async def test_a_scrape_that_fails_is_counted() -> None:
    """A subject without metrics does not pass for one that was read."""
    async with TestServer(web.Application()) as subject, TestServer(Collector().app()) as collector:
        assert subject.port is not None
        assert collector.port is not None
        exports = Exports(collector.port)
        await asyncio.to_thread(exports.begin, TOLD, subject.port)
        await asyncio.to_thread(exports.rest)
        _, problems = await asyncio.to_thread(exports.seen, TOLD, 100)
    assert any("scrapes failed" in each for each in problems)


async def _export(collector: BaseTestServer, trace: bytes) -> None:
    """Two spans of one trace, as OTLP over HTTP has them."""
    request = ExportTraceServiceRequest()
    resource = request.resource_spans.add()
    pair = resource.resource.attributes.add()
    pair.key, pair.value.string_value = "service.name", "shop"
    scope = resource.scope_spans.add()
    for _ in range(2):
        scope.spans.add().trace_id = trace
    async with ClientSession() as session:
        url = collector.make_url("/v1/traces")
        async with session.post(url, data=request.SerializeToString()) as answer:
            assert answer.status == 200


def test_both_sides_trace_one_percent_to_the_same_collector(tmp_path: Path) -> None:
    """Envoy's share is in percent; ours is a share, and the settings accept all of it."""
    place = Place(tmp_path, 8080, 8081, admin_port=8082, collector_port=4318)
    config: Any = EnvoyTraced().config(place)
    listener = config["static_resources"]["listeners"][0]
    manager = listener["filter_chains"][0]["filters"][0]["typed_config"]
    assert manager["tracing"]["random_sampling"] == {"value": 1.0}
    assert ":4318/v1/traces" in json.dumps(manager["tracing"]["provider"])
    assert config["admin"]["address"]["socket_address"]["port_value"] == 8082
    made = SUBJECTS["tidegate-traced"].launch(place)
    loaded = load(Path(made.argv[-1]))
    assert loaded.settings.telemetry is not None
    assert loaded.settings.telemetry.sample_ratio == 0.01
    assert loaded.settings.telemetry.endpoint.port == 4318


def test_plain_subjects_have_no_telemetry() -> None:
    """What telemetry takes of a subject is seen beside the same subject without."""
    assert {name for name, each in SUBJECTS.items() if each.told} == {
        "tidegate-traced",
        "envoy-traced",
    }
