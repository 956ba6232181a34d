"""Traces and metrics as a real collector gets them, and what its misbehaviour does to calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import canary
from tests.support.collector import (
    Received,
    attributes,
    bad_collector,
    grpc_collector,
    http_collector,
)
from tests.support.house import running_sidecar
from tests.support.origin import Origin
from tests.support.prometheus import parse
from tests.support.values import CARD

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED = [("traceparent", f"00-{TRACE}-{PARENT}-01")]


@pytest.fixture
def origin() -> Iterator[Origin]:
    """A partner that answers 200 `ok`."""
    with Origin() as running:
        yield running


def telemetry(url: str, **over: Any) -> dict[str, Any]:
    """The settings for a collector at `url`, with short times."""
    return {"telemetry": {"endpoint": url, "metrics_interval": "1s", "timeout": "500ms", **over}}


@pytest.mark.parametrize("protocol", ["http", "grpc"])
async def test_a_call_is_one_trace_in_the_applications_own(
    tmp_path: Path, origin: Origin, protocol: str
) -> None:
    """Below the application's span the call, below that the attempt that the partner saw."""
    collector = http_collector if protocol == "http" else grpc_collector
    with collector() as (url, received):
        over = telemetry(url, protocol=protocol, headers={"X-Api-Key": "secret-of-the-collector"})
        async with running_sidecar(tmp_path, origin, **over) as running:
            await running.ask("POST", "/psp/charges", b"{}", SAMPLED)
    call, attempt = received.spans()
    assert call.trace_id.hex() == attempt.trace_id.hex() == TRACE
    assert (call.parent_span_id.hex(), call.kind) == (PARENT, 1)
    assert (attempt.parent_span_id, attempt.kind) == (call.span_id, 3)
    sent = dict(origin.received[0].headers)["traceparent"]
    assert sent == f"00-{TRACE}-{attempt.span_id.hex()}-01"
    said = attributes(attempt.attributes)
    assert (said["peer.service"], said["service.peer.name"]) == ("partner", "partner")
    assert (said["http.request.method"], said["http.response.status_code"]) == ("POST", 200)
    assert said["url.full"] == f"http://127.0.0.1:{origin.port}/psp/"
    assert [event.name for event in attempt.events][-1] == "first_byte ended"
    assert received.headers[0].get("x-api-key", received.headers[0].get("X-Api-Key"))
    assert received.resources()[0]["tidegate.config.hash"]


async def test_metrics_are_conventional_and_reach_to_90_s(tmp_path: Path, origin: Origin) -> None:
    """One duration for each slice of attempts, calls apart, and all that `/metrics` has."""
    with http_collector() as (url, received):
        async with running_sidecar(tmp_path, origin, **telemetry(url)) as running:
            await running.ask("POST", "/psp/charges", b"{}")
            families = parse((await running.page("/metrics")).body.decode())
    found = received.metrics()
    point = found["http.client.request.duration"][0].histogram.data_points[0]
    assert (point.count, list(point.explicit_bounds)[-1]) == (1, 90.0)
    said = attributes(point.attributes)
    assert (said["server.address"], said["http.response.status_code"]) == ("127.0.0.1", 200)
    assert found["tidegate.call.duration"][0].histogram.data_points[0].count == 1
    exported = {each.replace(".", "_") for each in found}
    for name, family in families.items():
        short = name.removesuffix("_total").removesuffix("_seconds")
        if family.samples and "_call" not in name and "_attempt" not in name:
            assert short in exported or name.startswith("process_"), name


async def test_what_ends_badly_is_traced_without_being_sampled(
    tmp_path: Path, origin: Origin
) -> None:
    """Refused calls among them; what was seen and ends well is left to the sample."""
    with http_collector() as (url, received):
        over = telemetry(url, sample_ratio=0.0)
        async with running_sidecar(tmp_path, origin, **over) as running:
            for _ in range(3):
                await running.ask("POST", "/psp/charges", b"{}")
            await running.ask("POST", "/nowhere", b"{}")
    kept = [attributes(each.attributes).get("tidegate.kept") for each in received.spans()]
    assert [each for each in kept if each] == ["first_seen", "failed"]


@pytest.mark.parametrize("kind", ["hangs", "floods", "trickles", "dies", "refuses"])
async def test_a_collector_that_misbehaves_changes_nothing_for_calls(
    tmp_path: Path, origin: Origin, kind: str
) -> None:
    """They are answered, what is lost is counted, and the drain is not held up."""
    with bad_collector(kind) as url:
        over = telemetry(url, sample_ratio=1.0, waiting_max=10)
        async with running_sidecar(tmp_path, origin, **over) as running:
            for _ in range(30):
                assert (await running.ask("POST", "/psp/charges", b"{}")).status == 200
            ends_at = time.monotonic() + 20.0
            while not running.sidecar._sink.otlp.trouble and time.monotonic() < ends_at:  # type: ignore[union-attr]
                await asyncio.sleep(0.05)
            families = parse((await running.page("/metrics")).body.decode())
            began_at = time.monotonic()
        assert time.monotonic() - began_at < 4.0
    lost = families["tidegate_telemetry_dropped_total"].samples
    assert sum(lost.values()) > 0
    assert families["tidegate_telemetry_collector_ok"].value("tidegate_telemetry_collector_ok") == 0


async def test_no_card_data_leaves_in_traces_or_metrics(tmp_path: Path, origin: Origin) -> None:
    """In no disguise: neither from path, query, headers and body, nor from the partner's answer."""
    with http_collector() as (url, received):
        async with running_sidecar(tmp_path, origin, **telemetry(url)) as running:
            fields = [*SAMPLED, *canary.as_headers(CARD), ("baggage", CARD), ("tracestate", CARD)]
            body = b"".join(canary.disguised(CARD).values())
            target = f"/psp/{CARD}?pan={CARD}&{canary.as_query(CARD)}"
            await running.ask("POST", target, body, fields)
            await running.ask("POST", f"/{CARD}", body, fields)
            await running.page("/metrics")
    _nowhere(received)


def _nowhere(received: Received) -> None:
    assert received.spans()
    assert received.metrics()
    assert canary.found(CARD.encode(), received.raw) == []


async def test_a_replay_leads_to_the_call_that_was_sent(tmp_path: Path, origin: Origin) -> None:
    """Its trace is the repetition's own, with a link to the first one's."""
    key = ("Idempotency-Key", "payment-1")
    with http_collector() as (url, received):
        over = telemetry(url, sample_ratio=0.0)
        journal = {"journal": {"path": str(tmp_path / "j.db")}}
        async with running_sidecar(tmp_path, origin, **over, **journal) as running:
            await running.ask("POST", "/psp/charges", b"{}", [*SAMPLED, key])
            reply = await running.ask("POST", "/psp/charges", b"{}", [key])
    assert reply.status == 200
    first, _, replay = received.spans()
    assert attributes(replay.attributes)["tidegate.kept"] == "repeated"
    assert replay.trace_id != first.trace_id
    assert [(link.trace_id, link.span_id) for link in replay.links] == [
        (first.trace_id, first.span_id)
    ]
