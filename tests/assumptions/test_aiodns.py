"""What `proxy.dns.lookup` relies on in aiodns, pycares and c-ares."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

import aiodns
import pytest

from tests.support.dns_answers import NXDOMAIN, SILENT, addresses
from tests.support.dns_server import DnsServer

NAME = "api.partner.example"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows one name."""
    with DnsServer() as running:
        running.set(NAME, "A", addresses("192.0.2.1", ttl_s=300))
        yield running


async def test_one_resolver_remembers_and_a_fresh_one_does_not(server: DnsServer) -> None:
    """Why every question has a resolver of its own: the cache has no switch."""
    resolver = aiodns.DNSResolver(nameservers=[server.nameserver], timeout=1.0, tries=1)
    for _ in range(3):
        await resolver.query_dns(NAME, "A")
    await resolver.close()
    assert server.count(NAME, "A") == 1
    fresh = aiodns.DNSResolver(nameservers=[server.nameserver], timeout=1.0, tries=1)
    await fresh.query_dns(NAME, "A")
    await fresh.close()
    assert server.count(NAME, "A") == 2


async def test_search_domains_are_never_applied(server: DnsServer) -> None:
    """Whatever the resolv.conf says; a single label goes out as it is."""
    server.everything = NXDOMAIN
    resolver = aiodns.DNSResolver(
        nameservers=[server.nameserver], timeout=1.0, tries=1, domains=["a.example", "b.example"]
    )
    with pytest.raises(aiodns.error.DNSError):
        await resolver.query_dns("single", "A")
    await resolver.close()
    assert {query.name for query in server.queries()} == {"single"}


async def test_a_question_can_be_cut_by_our_own_clock(server: DnsServer) -> None:
    """Its own timeouts grow and adapt; cancelling it leaves nothing behind."""
    server.everything = SILENT
    before = asyncio.all_tasks()
    resolver = aiodns.DNSResolver(nameservers=[server.nameserver], timeout=5.0, tries=3)
    began_at = time.monotonic()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.1):
            await resolver.query_dns(NAME, "A")
    assert time.monotonic() - began_at < 2.0
    await resolver.close()
    assert asyncio.all_tasks() == before


async def test_records_carry_their_time_to_live_and_their_address(server: DnsServer) -> None:
    """As `ttl` and `data.addr`."""
    resolver = aiodns.DNSResolver(nameservers=[server.nameserver], timeout=1.0, tries=1)
    result = await resolver.query_dns(NAME, "A")
    await resolver.close()
    (record,) = result.answer
    assert (record.ttl, getattr(record.data, "addr", None)) == (300, "192.0.2.1")
