"""What INC-03 is played with: its zone, its figures, its peers and its part in a namespace."""

from __future__ import annotations

import json
import math
import socket
import struct
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.incidents import dns_story, namespace
from loadtests.incidents.__main__ import _play
from loadtests.incidents.dns_arm import LONG, QUICK, everywhere
from loadtests.incidents.dns_peers import envoy_config
from loadtests.incidents.dns_promises import carried, refusal
from loadtests.incidents.dns_sidecar import configuration
from loadtests.incidents.dns_story import per_ttl, rate_of
from loadtests.incidents.dns_zone import FAULTS, TTL_S, Zone, host
from loadtests.incidents.history import History
from loadtests.incidents.inc_03_search import LABELS, SEARCH, Seen, play_search
from loadtests.incidents.inc_03_search import bars as search_bars
from loadtests.incidents.progress import Progress
from loadtests.incidents.report import verdict
from loadtests.incidents.result import Bar
from loadtests.incidents.run import Measured, Replay, Run
from tests.loadtests.dns_stories import call, calls, failed, missed, questions, story
from tests.support.dns_answers import NXDOMAIN, SILENT, Query
from tests.support.dns_server import DnsServer


def test_questions_are_counted_between_the_first_and_the_last() -> None:
    """Five questions at 4 s are 1.25 for each 5 s, wherever the interval's edges lie."""
    at = [Query("x", "A", "udp", 1 + 4.0 * number, "x") for number in range(5)]
    assert per_ttl(at, 0, 20) == pytest.approx(1.25)
    assert per_ttl(at, 0, 2) == pytest.approx(2.5)
    assert per_ttl([], 0, 20) == 0


def test_the_most_frequently_asked_name_counts() -> None:
    """One name that is asked for too often is not hidden by the others."""
    asked = questions("A", 0, 20)
    asked += [replace(q, at=q.at + 0.5) for q in asked if q.name == host("lossy")]
    assert rate_of(asked, "A", 0, 20) > 1.3
    assert math.isnan(rate_of([q for q in asked if q.name != host("slow")], "A", 0, 20))


def test_failures_are_told_by_fault_and_until_when() -> None:
    """What the table says of a peer."""
    told = story()
    told.history.records += [failed(140.0), failed(141.0), replace(failed(162.0), scheme="empty")]
    assert dns_story.failures(told.history, dns_story.answered) == "slow 2, empty 1"
    assert dns_story.last_failure_s(told, dns_story.answered) == pytest.approx(2.0)


def test_a_rate_is_carried_if_nothing_failed_or_queued() -> None:
    """A trial with a failed call, a late driver or a queue is not carried."""
    good = calls(0.0, 10.0)
    assert carried(History(good))
    assert not carried(History([*good, failed(10.0)]))
    assert not carried(History([replace(r, taken_at=r.taken_at + 0.03) for r in good]))
    assert not carried(History([call(r.scheduled_at, 0.5) for r in good]))


def test_a_refusal_is_read_from_the_problem() -> None:
    """An answer that is no problem told nothing."""
    said = refusal(0.1, 502, b'{"reason": "timeout", "origin": "dns"}')
    assert said.told
    assert not refusal(0.1, 502, b"<html>").told
    assert not refusal(0.1, 200, b'{"reason": "timeout", "origin": "dns"}').told


def seen() -> Seen:
    """What the part in the namespace shows when all is well."""
    return Seen(
        asked={host(label): 10 for label in LABELS},
        library={f"library.partner.test.{domain}": 1 for domain in SEARCH},
        calls=dict.fromkeys(LABELS, 100),
    )


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        (
            {"asked": {host("slow"): 9, f"{host('slow')}.{SEARCH[0]}": 1}},
            "search domains: questions through search domains",
        ),
        ({"asked": {}}, "search domains: questions through search domains"),
        ({"library": {"library.partner.test": 1}}, "search domains: the C library's, as a control"),
        ({"calls": {"slow": 5, "lossy": 5}}, "rebinding: failed calls to rebind"),
        ({"failed": {"slow": 1}}, "search domains: failed calls to slow"),
        ({"trapped": 1}, "rebinding: connections to a forbidden address"),
    ],
)
def test_search_domains_and_rebinding_have_bars_that_can_be_missed(
    wrong: dict[str, dict[str, int]], name: str
) -> None:
    """Also the control: a resolv.conf without effect would prove nothing."""
    assert missed(search_bars(seen())) == []
    assert missed(search_bars(replace(seen(), **wrong))) == [name]  # type: ignore[arg-type]


def test_a_zone_breaks_each_name_in_its_own_way_and_heals() -> None:
    """What was not named stays honest; unknown names are silent only where all are."""
    with DnsServer() as server:
        zone = Zone(server)
        zone.break_down({"nxdomain": "nxdomain"})
        said = {label: server._find(host(label), "A")[0] for label in FAULTS}
        assert said["nxdomain"] == NXDOMAIN
        assert said["slow"].data == ("127.0.0.2",)
        assert server.default == NXDOMAIN
        zone.break_down(everywhere("silent"))
        assert server._find(host("slow"), "A")[0] == SILENT
        assert server.default == SILENT
        zone.heal()
        zone.move("127.0.0.3")
        assert {server._find(host(label), "A")[0].data for label in FAULTS} == {("127.0.0.3",)}
        assert server.default == NXDOMAIN


def answers_to(count: int, seed: int) -> int:
    """How many of so many questions for the lossy name the server answers."""
    labels = b"".join(bytes([len(p)]) + p.encode() for p in host("lossy").split("."))
    question = labels + struct.pack("!BHH", 0, 1, 1)
    with socket.socket(type=socket.SOCK_DGRAM) as asker:
        with DnsServer(seed=seed) as server:
            Zone(server).break_down({"lossy": "lossy"})
            asker.connect(("127.0.0.1", server.port))
            for number in range(count):
                asker.send(struct.pack("!HHHHHH", number, 0, 1, 0, 0, 0) + question)
            server.wait_count(count)
        asker.setblocking(False)  # the server has gone, and said what it had to say
        got = 0
        with suppress(OSError):
            while asker.recv(512):
                got += 1
    return got


def test_a_lossy_server_answers_a_fifth_and_the_same_one_for_a_seed() -> None:
    """Chance comes from a seed, so that a replay can be played again."""
    got = answers_to(100, seed=3)
    assert 10 <= got <= 30
    assert answers_to(100, seed=3) == got


def test_both_forms_play_every_fault() -> None:
    """The quick form may be short, not blind."""
    for form in (QUICK, LONG):
        assert {f for _, faults, _ in form.broken for f in faults.values()} == set(FAULTS)
        assert all(seconds > TTL_S for _, _, seconds in form.broken)


def test_envoy_gets_a_cluster_for_each_name_and_never_reuses_a_connection() -> None:
    """The peers are configured for the same load as the sidecar."""
    config = envoy_config("strict_dns", 1, 2, 3, FAULTS)["static_resources"]
    assert [cluster["name"] for cluster in config["clusters"]] == list(FAULTS)
    assert {cluster["type"] for cluster in config["clusters"]} == {"STRICT_DNS"}
    assert all(
        '"max_requests_per_connection": 1' in json.dumps(cluster) for cluster in config["clusters"]
    )


def test_only_the_trap_is_forbidden_to_be_private(tmp_path: Path) -> None:
    """Without a name server of its own the sidecar asks the system's."""
    config = configuration(
        1, 2, None, {"slow": "http://a.test:3", "trap": "http://b.test:4"}, tmp_path
    )
    upstreams = config["partners"]["acquirer"]["upstreams"]
    assert [upstreams[name]["allow_private"] for name in ("slow", "trap")] == [True, False]
    assert "nameservers" not in config["dns"]


def test_a_namespace_that_cannot_be_had_is_refused_with_a_remedy() -> None:
    """The replay says what to do, and does not pass."""
    assert "sysctl" in (namespace.obstacle(("false",)) or "")
    assert "FileNotFoundError" in (namespace.obstacle(("no-such-program",)) or "")


@pytest.mark.parametrize(("figure", "refused"), [(0, True), (1, False)])
async def test_a_part_that_cannot_be_played_here_makes_no_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, figure: int, refused: bool
) -> None:
    """The replay is refused with the remedy; but what was played and missed is a miss."""
    monkeypatch.setattr(namespace, "obstacle", lambda: "no namespaces: allow them")
    run = Run(quick=True, factor=1.0, directory=tmp_path, progress=Progress("test"))

    async def play(run: Run) -> Measured:
        measured = Measured(bars=[Bar("part", "bar", figure, "=", 0)])
        await play_search(run, measured)
        return measured

    result = await _play(Replay("INC-03", "x", 1.0, play), run)
    assert (result.refused, result.held) == (refused, False)
    assert verdict(result) == (
        "INC-03 refused: search domains and rebinding: no namespaces: allow them"
        if refused
        else "INC-03 fail: part bar 1"
    )
