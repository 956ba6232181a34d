"""Traces and metrics that leave the house, and the bounds of what they may cost."""

from __future__ import annotations

from typing import Annotated

from proxy.settings.base import Model, key, required
from proxy.settings.kinds import BaseUrl, File, HeaderName, HeaderValue
from proxy.settings.scalars import duration, flag, number, one_of, whole


class CollectorTls(Model):
    """Whom the collector's certificate must come from, and ours."""

    ca_file: File | None = key(None, "PEM bundle in place of the system's")
    client_certificate_file: File | None = key(None, "our certificate chain, PEM")
    client_key_file: File | None = key(None, "its private key, PEM")


class Telemetry(Model):
    """Export by OTLP; the log and `/metrics` need none of it."""

    endpoint: BaseUrl = required("URL of an OTLP collector", "http://127.0.0.1:4318")
    protocol: Annotated[str, one_of({word: word for word in ("http", "grpc")})] = key(
        "http", "http (protobuf) or grpc, which needs the package's extra `grpc`"
    )
    headers: dict[HeaderName, HeaderValue] = key({}, "sent to the collector, such as its token")
    tls: CollectorTls | None = key(None, "trust and our certificate; unset: the system's trust")
    timeout_s: Annotated[float, duration("100ms", "1m")] = key(
        "5s", "for one sending, all of it", "timeout"
    )
    traces: Annotated[bool, flag()] = key(True, "whether traces are exported")
    metrics: Annotated[bool, flag()] = key(True, "whether metrics are exported")
    metrics_interval_s: Annotated[float, duration("1s", "1h")] = key(
        "30s", "between two exports of metrics", "metrics_interval"
    )
    sample_ratio: Annotated[float, number(0.0, 1.0)] = key(
        0.01, "share traced of the calls that come without a trace and end well"
    )
    slow_s: Annotated[float, duration("1ms", "10m")] = key(
        "5s", "calls that took so long are traced", "slow"
    )
    traces_per_s_max: Annotated[int, whole(1, 1000)] = key(
        100, "traces kept within a second; more are counted and dropped"
    )
    waiting_max: Annotated[int, whole(10, 10_000)] = key(
        1000, "traces that wait for the collector; more are counted and dropped"
    )
