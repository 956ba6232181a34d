"""`proxy.dns.lookup` against a real name server: every kind of answer, and none."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.dns.answers import Answers, Records
from proxy.dns.lookup import GRACE_S, Lookup, system_servers
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
NONE = "no_addresses"


@pytest.fixture
def server() -> Iterator[DnsServer]:
    """A name server that knows nothing yet."""
    with DnsServer() as running:
        yield running


class Asker:
    """Looks names up, and notes what it is told of each question."""

    def __init__(self, *servers: str, timeout_s: float = 1.0) -> None:
        self.told: list[tuple[str, str]] = []
        self.lookup = Lookup(servers, timeout_s, lambda kind, result, _: self._note(kind, result))

    def _note(self, kind: str, result: str) -> None:
        self.told.append((kind, result))


async def _ask(
    server: DnsServer, name: str = NAME, timeout_s: float = 1.0, grace_s: float = 5.0
) -> Answers:
    return await Asker(server.nameserver, timeout_s=timeout_s).lookup(name, grace_s)


def records(*found: str, ttl_s: float = 60.0) -> Records:
    """As the name server says them."""
    return Records(found, ttl_s)


async def test_both_families_are_asked_for(server: DnsServer) -> None:
    """In the order of the answer, each with its time to live."""
    server.set(NAME, "A", addresses("192.0.2.7", "192.0.2.3", ttl_s=30))
    server.set(NAME, "AAAA", addresses("2001:db8::1"))
    found = await _ask(server)
    assert found == Answers(records("192.0.2.7", "192.0.2.3", ttl_s=30.0), records("2001:db8::1"))


@pytest.mark.parametrize("broken", [SERVFAIL, REFUSED, NXDOMAIN])
async def test_a_failure_of_one_family_does_not_spoil_the_other(
    server: DnsServer, broken: Answer
) -> None:
    """There are resolvers that answer AAAA with an error."""
    server.set(NAME, "A", addresses("192.0.2.7"))
    server.set(NAME, "AAAA", broken)
    assert (await _ask(server)).ipv4 == records("192.0.2.7")


@pytest.mark.parametrize(("silent", "answered"), [("AAAA", "A"), ("A", "AAAA")])
async def test_a_family_that_is_never_answered_is_not_waited_for(
    server: DnsServer, silent: str, answered: str
) -> None:
    """Addresses in hand go to work; a dropped AAAA must not turn every payment into a timeout."""
    address = {"A": "192.0.2.7", "AAAA": "2001:db8::7"}[answered]
    server.set(NAME, silent, SILENT)
    server.set(NAME, answered, addresses(address))
    async with asyncio.timeout(0.9):
        found = await _ask(server, grace_s=GRACE_S)
    assert {found.ipv4, found.ipv6} == {records(address), "timeout"}


async def test_with_time_the_slower_family_is_waited_for(server: DnsServer) -> None:
    """A refresh ahead of time holds nobody up."""
    server.set(NAME, "A", addresses("192.0.2.7"))
    server.set(NAME, "AAAA", Answer(("2001:db8::1",), delay_s=0.2))
    assert (await _ask(server)).ipv6 == records("2001:db8::1")


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
    assert await _ask(server) == Answers(reason, reason)


async def test_silence_is_a_timeout_within_bounds(server: DnsServer) -> None:
    """Two questions for each type, by our own clock: c-ares' would grow."""
    server.everything = SILENT
    async with asyncio.timeout(2.0):
        assert await _ask(server, timeout_s=0.2) == Answers("timeout", "timeout")
    assert server.count(NAME, "A") == server.count(NAME, "AAAA") == 2


async def test_a_name_has_an_end_whatever_the_servers_do(server: DnsServer) -> None:
    """However many there are."""
    server.everything = SILENT
    servers = [server.nameserver] * 100
    lookup = Lookup(servers, 0.1, lambda *_: None, total_s=0.3)
    async with asyncio.timeout(2.0):
        assert await lookup(NAME) == Answers("timeout", "timeout")


async def test_servers_are_asked_one_by_one(server: DnsServer) -> None:
    """One that is dead or cannot tell is passed over; whoever knows ends it."""
    with DnsServer() as gone:
        nobody = gone.nameserver
    server.set(NAME, "A", addresses("192.0.2.7"))
    with DnsServer() as confused:
        confused.everything = SERVFAIL
        asker = Asker(nobody, confused.nameserver, server.nameserver)
        found = await asker.lookup(NAME)
    assert found == Answers(records("192.0.2.7"), NONE)
    of_a = [result for kind, result in asker.told if kind == "A"]
    assert of_a == ["no_server", "server_failure", "addresses"]


async def test_nobody_at_the_name_server_is_a_reason_of_its_own() -> None:
    """It is not the server's refusal."""
    with DnsServer() as gone:
        nameserver = gone.nameserver
    async with asyncio.timeout(5.0):
        assert await Asker(nameserver).lookup(NAME) == Answers("no_server", "no_server")


async def test_a_truncated_answer_is_fetched_over_tcp(server: DnsServer) -> None:
    """Partners with many addresses are reachable too."""
    many = tuple(f"192.0.2.{number}" for number in range(1, 60))
    server.set(NAME, "A", Answer(many, truncate_udp=True))
    assert (await _ask(server)).ipv4 == Records(many, 60.0)
    assert [query.transport for query in server.queries(NAME, "A")] == ["udp", "tcp"]


async def test_aliases_are_followed_to_their_addresses(server: DnsServer) -> None:
    """The shortest time to live of the chain counts."""
    server.set(NAME, "CNAME", alias("edge.cdn.example", ttl_s=20))
    server.set("edge.cdn.example", "CNAME", alias("pop1.cdn.example", ttl_s=300))
    server.set("pop1.cdn.example", "A", addresses("192.0.2.9"))
    assert (await _ask(server)).ipv4 == records("192.0.2.9", ttl_s=20.0)


async def test_an_alias_that_leads_nowhere_has_no_addresses(server: DnsServer) -> None:
    """Records came, and none of them is an address."""
    server.set(NAME, "CNAME", alias("edge.cdn.example"))
    server.set("edge.cdn.example", "TXT", EMPTY)
    assert await _ask(server) == Answers(NONE, NONE)


@pytest.mark.parametrize(
    "forged", [Answer(("192.0.2.66",), wrong_id=True), Answer(garbage=b"\xff" * 40)]
)
async def test_what_does_not_answer_our_question_is_not_believed(
    server: DnsServer, forged: Answer
) -> None:
    """A wrong identity or garbage ends in a reason, never in an address."""
    server.everything = forged
    async with asyncio.timeout(5.0):
        found = await _ask(server, timeout_s=0.2)
    assert isinstance(found.ipv4, str)
    assert isinstance(found.ipv6, str)


async def test_names_are_asked_as_they_stand(server: DnsServer) -> None:
    """No search domain is tried, not even for a single label."""
    assert (await _ask(server, "intranet")).ipv4 == "no_such_name"
    assert {query.name for query in server.queries()} == {"intranet"}


async def test_nothing_is_remembered_between_lookups(server: DnsServer) -> None:
    """The answer is the network's of now: c-ares' own cache would hide a move for a TTL."""
    asker = Asker(server.nameserver)
    server.set(NAME, "A", addresses("192.0.2.1", ttl_s=3600))
    await asker.lookup(NAME)
    server.set(NAME, "A", addresses("192.0.2.2", ttl_s=3600))
    assert (await asker.lookup(NAME)).ipv4 == records("192.0.2.2", ttl_s=3600.0)
    assert server.count(NAME, "A") == 2


async def test_a_cancelled_lookup_leaves_nothing_behind(server: DnsServer) -> None:
    """No task and no warning may stay."""
    server.everything = SILENT
    before = asyncio.all_tasks()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await _ask(server)
    assert asyncio.all_tasks() == before


async def test_many_lookups_at_once_each_get_their_own_answer(server: DnsServer) -> None:
    """Nothing is shared between them but the bound on questions under way."""
    names = [f"h{number}.example" for number in range(40)]
    for number, name in enumerate(names):
        server.set(name, "A", addresses(f"192.0.2.{number + 1}"))
    asker = Asker(server.nameserver)
    found = await asyncio.gather(*(asker.lookup(name) for name in names))
    assert [each.ipv4 for each in found] == [records(f"192.0.2.{n + 1}") for n in range(40)]


def test_the_systems_name_servers_are_read_and_read_again(tmp_path: Path) -> None:
    """When the file changes; its search domains are of no interest."""
    path = tmp_path / "resolv.conf"
    lookup = Lookup((), 1.0, lambda *_: None, resolv_conf=path)
    assert lookup.servers() == ("127.0.0.1",)
    path.write_text("search a.example b.example\noptions ndots:5\nnameserver 192.0.2.53\n")
    assert lookup.servers() == ("192.0.2.53",)
    path.write_text("nameserver 192.0.2.54\n")
    os.utime(path, (1.0, 1.0))
    assert lookup.servers() == ("192.0.2.54",)
    path.unlink()
    assert lookup.servers() == ("192.0.2.54",)


def test_what_a_resolv_conf_may_hold() -> None:
    """IPv6 gets brackets, as c-ares wants them; the rest is passed over."""
    text = "# nameserver 192.0.2.1\nnameserver ::1\nnameserver fe80::1%eth0\nnameserver bad\nname\n"
    assert system_servers(text) == ("[::1]", "[fe80::1%eth0]")
