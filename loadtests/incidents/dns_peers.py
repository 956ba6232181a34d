"""The peers of INC-03: Envoy with strict and logical DNS, and an application on plain aiohttp."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import aiohttp
from aiohttp.resolver import AsyncResolver

from loadtests.incidents.dns_zone import host
from loadtests.incidents.driver import Target
from loadtests.incidents.envoy import EXTENSION, address, started
from loadtests.incidents.history import History
from loadtests.incidents.mortal import free_port
from loadtests.incidents.plain import PlainCaller
from loadtests.incidents.schedule import PlannedCall
from loadtests.incidents.stage import Stage

DEADLINE_S = 5.0
AIOHTTP_TTL_S = 10
"""What aiohttp keeps every answer for unless it is told otherwise, whatever the answer says."""


async def envoy(
    stage: Stage, kind: str, nameserver_port: int, partner_port: int, labels: Iterable[str]
) -> str:
    """A ready Envoy with one cluster for each name; its URL."""
    port = free_port(random.Random(f"{kind}/{nameserver_port}"))
    config = envoy_config(kind, port, nameserver_port, partner_port, labels)
    await started(stage, kind, config, port)
    return f"http://127.0.0.1:{port}"


def envoy_config(
    kind: str, port: int, nameserver_port: int, partner_port: int, labels: Iterable[str]
) -> dict[str, Any]:
    """Routes `/LABEL/` to a cluster each, resolved by c-ares from the one name server. PURE."""
    names = list(labels)
    routes = [
        {
            "match": {"prefix": f"/{label}/"},
            "route": {"cluster": label, "prefix_rewrite": "/", "timeout": f"{DEADLINE_S:g}s"},
        }
        for label in names
    ]
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
        "route_config": {"virtual_hosts": [{"name": "*", "domains": ["*"], "routes": routes}]},
    }
    listener = {
        "name": "payments",
        "address": address(port),
        "filter_chains": [
            {
                "filters": [
                    {
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": manager,
                    }
                ]
            }
        ],
    }
    clusters = [_cluster(kind, label, nameserver_port, partner_port) for label in names]
    return {"static_resources": {"listeners": [listener], "clusters": clusters}}


def _cluster(kind: str, label: str, nameserver_port: int, partner_port: int) -> dict[str, Any]:
    """One name; a new connection for each call, as in the other arms."""
    endpoint = {"endpoint": {"address": address(partner_port, host(label))}}
    return {
        "name": label,
        "type": kind.upper(),
        "connect_timeout": "4s",
        "respect_dns_ttl": True,
        "dns_lookup_family": "V4_PREFERRED",
        "typed_dns_resolver_config": {
            "name": "envoy.network.dns_resolver.cares",
            "typed_config": {
                "@type": f"{EXTENSION}.network.dns_resolver.cares.v3.CaresDnsResolverConfig",
                "resolvers": [address(nameserver_port)],
                "dns_resolver_options": {"no_default_search_domain": True},
            },
        },
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": f"{EXTENSION}.upstreams.http.v3.HttpProtocolOptions",
                "common_http_protocol_options": {"max_requests_per_connection": 1},
                "explicit_http_config": {"http_protocol_options": {}},
            }
        },
        "load_assignment": {
            "cluster_name": label,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }


class PlainClient:
    """An application that calls its partner through aiohttp, on the schedule of the others."""

    def __init__(self, nameserver: str, url_of: Callable[[PlannedCall], str]) -> None:
        self._url_of = url_of
        self._resolver = AsyncResolver(nameservers=[nameserver])
        connector = aiohttp.TCPConnector(
            resolver=self._resolver, ttl_dns_cache=AIOHTTP_TTL_S, force_close=True, limit=0
        )
        self._session = aiohttp.ClientSession(
            connector=connector, timeout=aiohttp.ClientTimeout(total=DEADLINE_S)
        )
        self._caller = PlainCaller(self._session, "")

    @property
    def in_flight(self) -> int:
        """How many calls are due and have not ended."""
        return self._caller.in_flight

    async def run(self, path: Target, calls: Sequence[PlannedCall], history: History) -> None:
        """Make `calls`, and wait until each has ended; each goes to its own name."""
        await self._caller.run(self._url_of, calls, history)

    async def close(self) -> None:
        """Give everything back."""
        await self._caller.close()
        await self._session.close()
        await self._resolver.close()
