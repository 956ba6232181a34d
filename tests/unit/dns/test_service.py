"""Rules for the names of a whole configuration."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest

from proxy.dns.cache import Bounds
from proxy.dns.service import Dns, Servers
from proxy.model.egress import Egress, ForwardProxy
from proxy.model.route import Upstream
from tests.support.dns_answers import SERVFAIL, addresses
from tests.support.dns_server import DnsServer
from tests.support.manual_clock import ManualClock
from tests.support.values import upstream

UPSTREAMS = [
    upstream("a"),
    upstream("b", resolve_as="a.example"),
    upstream("c", addresses=("192.0.2.7",)),
    upstream("d", resolve_as="10.0.0.7"),
    upstream("e", allow_private=True),
]


class House:
    """A service over a real name server."""

    def __init__(
        self,
        server: DnsServer,
        snapshot: Path | None = None,
        upstreams: Sequence[Upstream] = UPSTREAMS,
    ) -> None:
        self.clock = ManualClock()
        self.told: list[tuple[str, str]] = []
        servers = Servers((server.nameserver,), 0.5, str(snapshot) if snapshot else None)
        self.dns = Dns(
            upstreams, servers, Bounds(), self.clock,
            lambda kind, result, _: self.told.append((kind, result)), lambda _: None,
        )  # fmt: skip

    async def settle(self) -> None:
        """Until each name was asked for."""
        await self.dns.names.settled(5.0)


async def test_each_name_is_asked_for_once_however_many_upstreams_have_it() -> None:
    """And pinned ones not at all."""
    with DnsServer() as server:
        server.set("a.example", "A", addresses("198.41.0.4"))
        server.set("e.example", "A", addresses("10.1.2.3"))
        house = House(server)
        await house.settle()
        assert {query.name for query in server.queries()} == {"a.example", "e.example"}
        assert server.count("a.example", "A") == 1
    assert house.told.count(("A", "addresses")) == 2
    report = house.dns.report()
    rows = report["names"]
    assert isinstance(rows, list)
    states = {row["name"]: row["state"] for row in rows}
    assert states == {"a.example": "fresh", "e.example": "fresh", "c": "pinned", "d": "pinned"}
    assert all(row["addresses"] for row in rows)
    assert [house.dns.of(upstream)["name"] for upstream in "ac"] == ["a.example", "c"]


async def test_an_address_of_our_own_network_is_for_those_who_said_so() -> None:
    """Whoever else gets it as an answer has none."""
    with DnsServer() as server:
        for name in ("a.example", "e.example"):
            server.set(name, "A", addresses("10.1.2.3"))
        house = House(server)
        await house.settle()
    assert house.dns.resolver(UPSTREAMS[0]).resolve("a.example", 1.0) == "forbidden_address"
    found = house.dns.resolver(UPSTREAMS[4]).resolve("e.example", 1.0)
    assert isinstance(found, list)
    assert [address for _, address in found] == ["10.1.2.3"]


async def test_a_forward_proxy_is_what_is_looked_up() -> None:
    """In place of the partner, whose name it looks up itself; it may well be in our network."""
    named = upstream("n", egress=Egress((), ForwardProxy("proxy.example", 3128)))
    fixed = upstream("f", addresses=("192.0.2.7",), egress=Egress((), ForwardProxy("::1", 3128)))
    with DnsServer() as server:
        server.set("proxy.example", "A", addresses("10.1.2.3"))
        house = House(server, upstreams=[named, fixed])
        await house.settle()
        assert {query.name for query in server.queries()} == {"proxy.example"}
    found = house.dns.resolver(named).resolve("proxy.example", 1.0)
    assert isinstance(found, list)
    assert [address for _, address in found] == ["10.1.2.3"]
    assert house.dns.resolver(fixed).resolve("::1", 1.0) == [(socket.AF_INET6, "::1")]
    report = house.dns.report()["names"]
    assert isinstance(report, list)
    assert [row["addresses"] for row in report if row["name"] == "f"] == [["::1"]]


async def test_trouble_is_told_for_each_upstream_that_has_it() -> None:
    """With the reason and since when."""
    with DnsServer() as server:
        server.set("a.example", "A", addresses("198.41.0.4"))
        server.set("e.example", "A", addresses("198.41.0.5"))
        house = House(server)
        await house.settle()
        assert house.dns.troubles() == []
        house.clock.advance(100.0)
        server.everything = SERVFAIL
        await asyncio.wait([house.dns.names._refresh_now(name) for name in house.dns.names.entries])
    since = house.clock.now()
    assert sorted(house.dns.troubles()) == [
        ("acme", each, "server_failure", since) for each in "abe"
    ]


async def test_ready_means_asked_once() -> None:
    """Whatever came of it."""
    with DnsServer() as server:
        house = House(server)
        assert not house.dns.settled
        settle, *others = house.dns.work()
        for other in others:
            other.close()
        await settle
        assert house.dns.settled


@pytest.mark.parametrize("damaged", [False, True])
async def test_a_snapshot_that_does_not_help_is_told(tmp_path: Path, damaged: bool) -> None:
    """Missing names and damage are notes for the start, and nothing else."""
    path = tmp_path / "dns.json"
    if damaged:
        path.write_text("{")
    with DnsServer() as server:
        (note,) = House(server, path).dns.notes
    assert ("is damaged" if damaged else "knows 0 of 2 names") in note
