"""A short story in which everything happens that a dashboard or an alert looks at.

Good calls and repeated keys; then a partner that can no longer be reached and is replaced by its
standby, one that hangs and leaves payments in doubt, the last way out that refuses, name servers
that are silent or deny a name, a standby that fails, a collector and a receiver of alerts that are
not there.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import aiohttp

from loadtests.incidents.dns_zone import OLD
from loadtests.incidents.stage import Sidecar, Stage
from proxy.sandbox.client import SandboxPartner
from tests.support.dns_answers import EMPTY, SILENT, addresses
from tests.support.dns_server import DnsServer

NAME, UNKNOWN = "psp.partner.test", "nowhere.partner.test"
ROUTES = ("north", "south", "named", "lost")
RATE_PER_S = 15.0
"""Of each route: a verdict needs some calls."""
WELL_S, TROUBLE_S, STANDBY_S, AGAIN_S = 6.0, 10.0, 9.0, 4.0
STORY_S = WELL_S + TROUBLE_S + STANDBY_S + AGAIN_S
REPEATED_EVERY = 10
NOBODY = "http://127.0.0.1:9"
"""The port of discard, where nobody listens."""


def configuration(
    partners: Mapping[str, SandboxPartner], nameserver: str, journal: str
) -> dict[str, Any]:
    """Four partners; every time is short, so that little has to be waited for."""
    timeouts = {"connect": "1s", "first_byte": "1s", "queue": "200ms"}
    checks = {"kind": "connect", "interval": "1s", "timeout": "500ms", "proven_within": "3s"}
    common = {"timeouts": timeouts, "checks": checks}
    named = {"url": f"http://{NAME}:{partners['named'].port}", "allow_cleartext": True,
             "allow_private": True, "timeouts": timeouts, "pool": {"reuse": False}}  # fmt: skip
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0", "timeout_drain": "1s"},
        "admin": {"address": "127.0.0.1:0"},
        "log": {"calls": False},
        "dns": {"nameservers": [nameserver], "ttl_min": "1s"},
        "journal": {"path": journal, "timeout_commit": "10s"},  # a slow disk is not told
        "telemetry": {"endpoint": NOBODY, "sample_ratio": 1, "timeout": "500ms"},
        "alerts": {"webhooks": {"pager": {"url": NOBODY}}, "attempts_max": 1},
        "partners": {
            "north": {"upstreams": {name: {"url": partners[name].url, **common}
                                    for name in ("primary", "standby")}},
            "south": {"upstreams": {"only": {"url": partners["only"].url, "timeouts": timeouts}}},
            "named": {"upstreams": {"named": named}},
            "lost": {"upstreams": {"lost": {**named, "url": f"http://{UNKNOWN}:1"}}},
        },
        "routes": [
            _route("north", ["primary", "standby"]),
            _route("south", ["only"]),
            _route("named", ["named"]),
            _route("lost", ["lost"]),
        ],
    }  # fmt: skip


def _route(name: str, candidates: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "match": {"path": f"/{name}/"},
        "strip_prefix": True,
        "operation": "authorize",
        "candidates": candidates,
        "deadline": "3s",
        "dimensions": [{"name": "scheme", "pointer": "/card/scheme"}],
    }


@dataclass(slots=True)
class Application:
    """Calls all routes at one pace, and does not care how calls end."""

    url: str
    session: aiohttp.ClientSession
    _numbers: itertools.count[int] = field(default_factory=itertools.count)

    async def call_for(self, seconds: float) -> None:
        """Make calls for so long; every tenth is made twice."""
        ends_at = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as calls:
            while asyncio.get_running_loop().time() < ends_at:
                number = next(self._numbers)
                for route in ROUTES:
                    calls.create_task(self._call(route, number))
                await asyncio.sleep(1 / RATE_PER_S)

    async def _call(self, route: str, number: int) -> None:
        for _ in range(2 if number % REPEATED_EVERY == 0 else 1):
            reference = f"{route}-{number}"
            card = {"number": "4111111111111111", "scheme": "visa"}
            body = {"amount": 1000, "currency": "EUR", "merchantReference": reference, "card": card}
            headers = {"Idempotency-Key": reference}
            async with self.session.post(
                f"{self.url}/{route}/payments", json=body, headers=headers
            ) as reply:
                await reply.read()


async def garbage(url: str) -> None:
    """Bytes that are no request."""
    host, _, port = url.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"hello\r\n\r\n")
    await reader.read()
    writer.close()


async def begin(stage: Stage, server: DnsServer) -> tuple[Sidecar, dict[str, SandboxPartner]]:
    """Four partners that are well, and the sidecar in front of them."""
    server.set(NAME, "A", addresses(OLD, ttl_s=1))
    server.set(NAME, "AAAA", EMPTY)
    partners = {}
    for seed, name in enumerate(("primary", "standby", "only", "named")):
        host: dict[str, Any] = {"host": OLD} if name == "named" else {}
        partners[name] = await stage.partner(name, "acquirer", seed, latency_p50_ms=10.0, **host)
    journal = str(stage.directory / "journal.db")
    return await stage.sidecar(configuration(partners, server.nameserver, journal)), partners


async def play(sidecar: Sidecar, partners: Mapping[str, SandboxPartner], server: DnsServer) -> None:
    """Play it; it takes half a minute."""
    async with aiohttp.ClientSession() as session:
        application = Application(sidecar.payments_url, session)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(application.call_for(STORY_S))
            tasks.create_task(_trouble(sidecar, partners, server))


async def _trouble(
    sidecar: Sidecar, partners: Mapping[str, SandboxPartner], server: DnsServer
) -> None:
    await garbage(sidecar.payments_url)
    await asyncio.sleep(WELL_S)
    said = {"upstream": "named", "reason": "a drill", "by": "promcheck", "for": "1m"}
    await sidecar.admin.put("/routes/named/force", said)
    for kind in ("A", "AAAA"):
        server.set(NAME, kind, SILENT)
    await _faults(partners["primary"], {"kind": "refuse"})
    await _faults(partners["only"], {"kind": "hang", "share": 0.3})
    await asyncio.sleep(TROUBLE_S)
    await _faults(partners["standby"], {"kind": "refuse"})
    await _faults(partners["only"], {"kind": "refuse"})
    await asyncio.sleep(STANDBY_S)
    for partner in partners.values():
        await asyncio.to_thread(partner.clear)


async def _faults(partner: SandboxPartner, *rules: Mapping[str, Any]) -> None:
    await asyncio.to_thread(partner.set_faults, *rules)
