"""`proxy.telemetry.otlp_grpc`: the same over gRPC."""

from __future__ import annotations

import time
from urllib.parse import urlsplit

import pytest

from proxy.model.telemetry import Collector
from proxy.telemetry.otlp_grpc import GrpcSender
from tests.support.collector import bad_collector, grpc_collector


def _sender(url: str) -> GrpcSender:
    parts = urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    headers = (("X-Key", "k"),)
    return GrpcSender(
        Collector(False, parts.hostname, parts.port, "", True, headers, timeout_s=0.5)
    )


@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_each_signal_has_its_service(signal: str) -> None:
    """With the headers as metadata, whose names are lower-case."""
    with grpc_collector() as (url, received):
        sender = _sender(url)
        assert not sender.send(signal, b"body").trouble
        sender.close()
    assert received.bodies[signal] == [b"body"]
    assert received.headers[0]["x-key"] == "k"


@pytest.mark.parametrize("kind", ["hangs", "dies", "refuses", "floods"])
def test_a_misbehaving_collector_is_given_up(kind: str) -> None:
    """Within the timeout, with gRPC's word for it."""
    with bad_collector(kind) as url:
        sender, began_at = _sender(url), time.monotonic()
        sent = sender.send("traces", b"x")
        sender.give_up(time.monotonic())
        sender.close()
    assert sent.trouble in ("grpc_deadline_exceeded", "grpc_unavailable")
    assert sent.again
    assert time.monotonic() - began_at < 3.0
