"""`proxy.dns.lookup` against a real name server: every kind of answer, and none."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator

import pytest

from proxy.dns.lookup import lookup
from tests.support.dns_answers import (
    EMPTY,
    NXDOMAIN,
    REFUSED,
    SERVFAIL,
    SILENT,
    Answer,
    addresses,
    alias,
)
from tests.support.dns_server import DnsServer

NAME = "api.partner.example"
IPV4, IPV6 = socket.AF_INET, socket.AF_INET6


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows nothing yet."""
    with DnsServer() as running:
        yield running


async def _ask(server: DnsServer, name: str = NAME, within_s: float = 5.0) -> object:
    return await lookup(name, within_s, [server.nameserver])


async def test_addresses_of_both_families_come_ipv4_first(server: DnsServer) -> None:
    """In the order of the answer within a family."""
    server.set(NAME, "A", addresses("192.0.2.7", "192.0.2.3"))
    server.set(NAME, "AAAA", addresses("2001:db8::1"))
    assert await _ask(server) == [
        (IPV4, "192.0.2.7"),
        (IPV4, "192.0.2.3"),
        (IPV6, "2001:db8::1"),
    ]


@pytest.mark.parametrize(
    ("kind", "address", "family"), [("A", "192.0.2.7", IPV4), ("AAAA", "2001:db8::1", IPV6)]
)
async def test_one_family_is_enough(
    server: DnsServer, kind: str, address: str, family: socket.AddressFamily
) -> None:
    """An empty answer for the other is no failure."""
    server.set(NAME, kind, addresses(address))
    assert await _ask(server) == [(family, address)]


@pytest.mark.parametrize("broken", [SERVFAIL, REFUSED, NXDOMAIN])
async def test_a_failure_of_one_family_does_not_spoil_the_other(
    server: DnsServer, broken: Answer
) -> None:
    """There are resolvers that answer AAAA with an error."""
    server.set(NAME, "A", addresses("192.0.2.7"))
    server.set(NAME, "AAAA", broken)
    assert await _ask(server) == [(IPV4, "192.0.2.7")]


@pytest.mark.parametrize(
    ("silent", "answered", "address", "family"),
    [("AAAA", "A", "192.0.2.7", IPV4), ("A", "AAAA", "2001:db8::1", IPV6)],
)
async def test_a_family_that_is_never_answered_is_not_waited_for(
    server: DnsServer, silent: str, answered: str, address: str, family: socket.AddressFamily
) -> None:
    """Addresses in hand go to work; a dropped AAAA must not turn every payment into a timeout."""
    server.set(NAME, silent, SILENT)
    server.set(NAME, answered, addresses(address))
    async with asyncio.timeout(2.0):
        assert await _ask(server, within_s=60.0) == [(family, address)]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (NXDOMAIN, "no_such_name"),
        (SERVFAIL, "server_failure"),
        (REFUSED, "refused"),
        (EMPTY, "no_addresses"),
    ],
)
async def test_each_way_to_have_no_address_has_a_reason(
    server: DnsServer, answer: Answer, reason: str
) -> None:
    """One word of ours each; never text of the server."""
    server.everything = answer
    assert await _ask(server) == reason


async def test_the_more_telling_reason_is_told(server: DnsServer) -> None:
    """An empty answer beside a failure is not the cause."""
    server.set(NAME, "A", EMPTY)
    server.set(NAME, "AAAA", SERVFAIL)
    assert await _ask(server) == "server_failure"


async def test_silence_is_a_timeout_within_bounds(server: DnsServer) -> None:
    """Two questions for each type, and then a reason."""
    server.everything = SILENT
    async with asyncio.timeout(5.0):
        assert await _ask(server, within_s=0.2) == "timeout"
    assert server.count(NAME, "A") == server.count(NAME, "AAAA") == 2


async def test_nobody_at_the_name_server_is_a_reason_of_its_own() -> None:
    """It is not the server's refusal."""
    with DnsServer() as gone:
        nameserver = gone.nameserver
    async with asyncio.timeout(5.0):
        assert await lookup(NAME, 1.0, [nameserver]) == "no_server"


async def test_a_truncated_answer_is_fetched_over_tcp(server: DnsServer) -> None:
    """Partners with many addresses are reachable too."""
    many = tuple(f"192.0.2.{number}" for number in range(1, 60))
    server.set(NAME, "A", Answer(many, truncate_udp=True))
    assert await _ask(server) == [(IPV4, address) for address in many]
    assert [query.transport for query in server.queries(NAME, "A")] == ["udp", "tcp"]


async def test_aliases_are_followed_to_their_addresses(server: DnsServer) -> None:
    """The chain itself is no address."""
    server.set(NAME, "CNAME", alias("edge.cdn.example"))
    server.set("edge.cdn.example", "CNAME", alias("pop1.cdn.example"))
    server.set("pop1.cdn.example", "A", addresses("192.0.2.9"))
    assert await _ask(server) == [(IPV4, "192.0.2.9")]


async def test_an_alias_that_leads_nowhere_has_no_addresses(server: DnsServer) -> None:
    """Records came, and none of them is an address."""
    server.set(NAME, "CNAME", alias("edge.cdn.example"))
    server.set("edge.cdn.example", "TXT", EMPTY)
    assert await _ask(server) == "no_addresses"


@pytest.mark.parametrize(
    "forged", [Answer(("192.0.2.66",), wrong_id=True), Answer(garbage=b"\xff" * 40)]
)
async def test_what_does_not_answer_our_question_is_not_believed(
    server: DnsServer, forged: Answer
) -> None:
    """A wrong identity or garbage ends in a reason, never in an address."""
    server.everything = forged
    async with asyncio.timeout(5.0):
        assert isinstance(await _ask(server, within_s=0.2), str)


async def test_names_are_asked_as_they_stand(server: DnsServer) -> None:
    """No search domain is tried, not even for a single label."""
    assert await _ask(server, "intranet") == "no_such_name"
    assert {query.name for query in server.queries()} == {"intranet"}


async def test_nothing_is_remembered_between_lookups(server: DnsServer) -> None:
    """The answer is the network's of now: c-ares' own cache would hide a move for a TTL."""
    server.set(NAME, "A", addresses("192.0.2.1", ttl_s=3600))
    await _ask(server)
    server.set(NAME, "A", addresses("192.0.2.2", ttl_s=3600))
    assert await _ask(server) == [(IPV4, "192.0.2.2")]
    assert server.count(NAME, "A") == 2


async def test_a_cancelled_lookup_leaves_nothing_behind(server: DnsServer) -> None:
    """The phase's own timer cancels it; no task and no warning may stay."""
    server.everything = SILENT
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await _ask(server, within_s=60.0)
    assert asyncio.all_tasks() == before


async def test_many_lookups_at_once_each_get_their_own_answer(server: DnsServer) -> None:
    """Nothing is shared between them."""
    names = [f"h{number}.example" for number in range(40)]
    for number, name in enumerate(names):
        server.set(name, "A", addresses(f"192.0.2.{number + 1}"))
    found = await asyncio.gather(*(_ask(server, name) for name in names))
    assert found == [[(IPV4, f"192.0.2.{number + 1}")] for number in range(40)]


async def test_an_empty_answer_does_not_cut_the_other_familys_short(server: DnsServer) -> None:
    """Only addresses in hand are a reason to go on without the rest."""
    server.set(NAME, "A", EMPTY)
    server.set(NAME, "AAAA", Answer(("2001:db8::1",), delay_s=0.2))
    assert await _ask(server) == [(IPV6, "2001:db8::1")]
