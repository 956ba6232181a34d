"""Settings of telemetry to the plain values that the exporter reads."""

from __future__ import annotations

from proxy.model.telemetry import Collector, Exporting, Keeping
from proxy.settings.schema import Settings
from proxy.settings.telemetry import CollectorTls, Telemetry


def exporting(settings: Settings) -> Exporting | None:
    """What is exported and where to; None where nothing is."""
    said = settings.telemetry
    if said is None or not (said.traces or said.metrics):
        return None
    keeping = Keeping(said.sample_ratio, said.slow_s, float(said.traces_per_s_max))
    return Exporting(
        _collector(said),
        keeping,
        said.traces,
        said.metrics,
        said.metrics_interval_s,
        said.waiting_max,
    )


def sample_ratio(settings: Settings) -> float:
    """Share of new traces that are marked as sampled: none where none is exported."""
    said = settings.telemetry
    return said.sample_ratio if said is not None and said.traces else 0.0


def _collector(said: Telemetry) -> Collector:
    tls = said.tls or CollectorTls()
    return Collector(
        tls=said.endpoint.tls,
        host=said.endpoint.host,
        port=said.endpoint.port,
        path=said.endpoint.path,
        grpc=said.protocol == "grpc",
        headers=tuple((name, value.reveal()) for name, value in said.headers.items()),
        ca_file=tls.ca_file,
        client_certificate_file=tls.client_certificate_file,
        client_key_file=tls.client_key_file,
        timeout_s=said.timeout_s,
    )
