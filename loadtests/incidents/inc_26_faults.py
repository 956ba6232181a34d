"""INC-26: the nine partners, what happens to each, and what has to be said of it."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme

from loadtests.incidents import namespace
from loadtests.incidents.dns_zone import OLD
from loadtests.incidents.mortal import free_port
from loadtests.incidents.stage import Stage
from proxy.sandbox.client import SandboxPartner
from tests.support.dns_answers import EMPTY, SILENT, addresses
from tests.support.dns_server import DnsServer

NAME = "psp.partner.test"
TTL_S = 5
FAR = "10.26.0.1"
"""Where two partners are; the only address of that network, and so the way to it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a verdict has to say."""

    fault: str
    partners: tuple[str, ...]
    slices: tuple[str, ...]
    phase: str
    origin: str


def _one(fault: str, partner: str, slice_: str, phase: str, origin: str) -> Expected:
    return Expected(fault, (partner,), (f"{partner}{slice_}",), phase, origin)


EXPECTED = (
    _one("DNS dead", "named", "", "resolve", "dns"),
    _one("connections refused", "closed", "", "connect", "partner"),
    _one("blackhole", "mute", "", "connect", "partner"),
    _one("certificate expired", "expired", "", "tls", "partner"),
    _one("slow", "slow", " · authorize", "first_byte", "partner"),
    _one("30 % 5xx for visa", "picky", " · authorize · scheme=visa", "answer", "partner"),
    _one("own pool exhausted", "crowded", " · authorize", "queue", "us"),
    Expected("own network gone", ("far-a", "far-b"), ("far-a", "far-b"), "connect", "network"),
)
NAMES = tuple(name for each in EXPECTED for name in each.partners)
_SANDBOX: Mapping[str, dict[str, Any]] = {
    "closed": {"kind": "refuse"},
    "mute": {"kind": "blackhole"},
    "slow": {"kind": "slow", "delay_ms": 1500},
    "picky": {"kind": "status", "status": 500, "share": 0.3, "match": {"scheme": "visa"},
              "execute": "never"},
}  # fmt: skip
"""What the sandbox's partners do by themselves."""


@dataclass(slots=True)
class House:
    """Nine partners that are well until they are told otherwise."""

    stage: Stage
    server: DnsServer
    partners: dict[str, SandboxPartner] = field(default_factory=dict)
    ca_file: str = ""
    expires_at: float = 0.0
    """Wall time at which the certificate of `expired` does."""
    broken_at: dict[str, float] = field(default_factory=dict)
    """When each partner's fault began, monotonic."""

    async def start(self, healthy_s: float) -> None:
        """Start them; the certificate has `healthy_s` seconds from now."""
        namespace.add_address(FAR)
        self.server.set(NAME, "A", addresses(OLD, ttl_s=TTL_S))
        self.server.set(NAME, "AAAA", EMPTY)
        for number, name in enumerate(NAMES):
            options: dict[str, Any] = {}
            if name == "expired":
                options = self._certificate(healthy_s)
            elif name == "named":
                options = {"host": OLD}
            elif name.startswith("far"):
                options = {"host": FAR}
            self.partners[name] = await self.stage.partner(name, "acquirer", number, **options)

    def _certificate(self, healthy_s: float) -> dict[str, Any]:
        directory = self.stage.directory
        authority = trustme.CA()
        self.expires_at = float(int(time.time() + healthy_s))
        ends = datetime.fromtimestamp(self.expires_at, UTC)
        issued = authority.issue_cert("127.0.0.1", not_before=ends - timedelta(days=1),
                                      not_after=ends)  # fmt: skip
        authority.cert_pem.write_to_path(directory / "ca.pem")
        issued.private_key_pem.write_to_path(directory / "key.pem")
        _write_chain(directory / "chain.pem", issued)
        self.ca_file = str(directory / "ca.pem")
        return {
            "tls_certificate_file": str(directory / "chain.pem"),
            "tls_key_file": str(directory / "key.pem"),
        }

    async def break_down(self) -> None:
        """All at once, as fast as they can be told; the certificate expires by itself."""
        self.server.set(NAME, "A", SILENT)
        self.server.set(NAME, "AAAA", SILENT)
        self.broken_at["named"] = time.monotonic()
        namespace.drop_address()
        self.broken_at["far-a"] = self.broken_at["far-b"] = time.monotonic()
        told = (self._tell(name, fault) for name, fault in _SANDBOX.items())
        await asyncio.gather(*told)
        self.broken_at["crowded"] = time.monotonic()
        left_s = self.expires_at - time.time()
        self.broken_at["expired"] = time.monotonic() + left_s

    async def _tell(self, name: str, fault: Mapping[str, Any]) -> None:
        self.broken_at[name] = time.monotonic()
        await asyncio.to_thread(self.partners[name].set_faults, dict(fault))

    def configuration(self) -> dict[str, Any]:
        """One partner, one upstream and one route for each; the sidecar knows no fault."""
        rng = random.Random("inc-26")
        return {
            "version": 1,
            "listen": {"address": f"127.0.0.1:{free_port(rng)}", "timeout_drain": "1s"},
            "admin": {"address": f"127.0.0.1:{free_port(rng)}"},
            "dns": {"nameservers": [self.server.nameserver], "ttl_min": "1s"},
            "log": {"calls": False},
            "partners": {name: {"upstreams": {name: self._upstream(name)}} for name in NAMES},
            "routes": [_route(name) for name in NAMES],
        }

    def _upstream(self, name: str) -> dict[str, Any]:
        partner = self.partners[name]
        made: dict[str, Any] = {
            "url": partner.url,
            "timeouts": {"connect": "1s", "first_byte": "4s", "queue": "200ms"},
            "breaker": {"slow_max": "1s"},
        }
        if name == "named":
            made |= {"url": f"http://{NAME}:{partner.port}", "allow_cleartext": True,
                     "allow_private": True}  # fmt: skip
        elif name.startswith("far"):
            made |= {"allow_cleartext": True, "allow_private": True}
        elif name == "expired":
            made |= {"tls": {"ca_file": self.ca_file}, "pool": {"reuse": False}}
        elif name == "crowded":
            made |= {"pool": {"connections_max": 2, "idle_max": 2, "waiters_max": 4}}
        return made


def _write_chain(path: Path, issued: trustme.LeafCert) -> None:
    path.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))


def _route(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "match": {"path": f"/{name}/"},
        "strip_prefix": True,
        "operation": "authorize",
        "candidates": [name],
        "deadline": "6s",
        "dimensions": [{"name": "scheme", "pointer": "/card/scheme"}],
    }
