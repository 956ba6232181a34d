"""Mistakes about telemetry that no single key can know."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator

from proxy.settings.finding import Finding
from proxy.settings.network import is_loopback
from proxy.settings.schema import Settings


def check_telemetry(settings: Settings) -> Iterator[Finding]:
    """Credentials in clear text, halves of a certificate, and what gRPC has no place for."""
    said = settings.telemetry
    if said is None:
        return
    endpoint = ("telemetry", "endpoint")
    if said.headers and not said.endpoint.tls and not is_loopback(said.endpoint.host):
        yield Finding(
            endpoint,
            "is clear text to another machine, and headers may be credentials",
            "write https://, or leave telemetry.headers out",
            (("telemetry", "headers"),),
        )
    tls = said.tls
    if tls is not None and not said.endpoint.tls:
        remedy = "write https:// in telemetry.endpoint, or leave telemetry.tls out"
        yield Finding(("telemetry", "tls"), "has no effect without https", remedy, (endpoint,))
    if tls and (tls.client_certificate_file is None) != (tls.client_key_file is None):
        remedy = "give both client_certificate_file and client_key_file"
        yield Finding(("telemetry", "tls"), "has one half of a client certificate", remedy)
    if said.protocol != "grpc":
        return
    if said.endpoint.path:
        remedy = "end the URL after the port"
        yield Finding(endpoint, "has a path, which gRPC has no place for", remedy)
    if importlib.util.find_spec("grpc") is None:
        remedy = "install tidegate[grpc], or choose http"
        yield Finding(("telemetry", "protocol"), "needs a package that is not here", remedy)
