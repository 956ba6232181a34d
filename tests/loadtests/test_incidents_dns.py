"""What INC-03 promises: held by an honest story, missed by each planted wrong."""

from __future__ import annotations

import json
import math
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.incidents import dns_story, namespace
from loadtests.incidents.checker import Execution
from loadtests.incidents.dns_arm import LONG, QUICK, everywhere
from loadtests.incidents.dns_peers import envoy_config
from loadtests.incidents.dns_promises import Extras, Refusal, bars, carried, moved_bar, refusal
from loadtests.incidents.dns_sidecar import configuration
from loadtests.incidents.dns_story import Phase, Story, per_ttl, rate_of, seen_after_s
from loadtests.incidents.dns_zone import FAULTS, TTL_S, Zone, host
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.inc_03_search import LABELS, SEARCH, Seen
from loadtests.incidents.inc_03_search import bars as search_bars
from loadtests.incidents.result import Bar
from tests.support.dns_answers import NXDOMAIN, SILENT, Query
from tests.support.dns_server import DnsServer

HEALTHY_AT, BROKEN_AT, HEALED_AT, MOVED_AT, END = 100.0, 130.0, 160.0, 200.0, 215.0
LABELS_ALL = tuple(FAULTS)


def call(at: float, seconds: float = 0.05, **members: object) -> CallRecord:
    """A call that succeeded in `seconds`, of which 1 ms was not the partner's; `members` differ."""
    record = CallRecord(
        reference=f"{at}",
        nonce=f"{at}",
        scheme="slow",
        amount=100,
        scheduled_at=at,
        taken_at=at,
        started_at=at,
        ended_at=at + seconds,
        status=200,
        outcome="answered",
        execution="done",
        partner_time_s=seconds - 0.001,
    )
    return replace(record, **members)  # type: ignore[arg-type]


def failed(at: float) -> CallRecord:
    """A call for which there was no address."""
    return call(at, status=502, outcome="unsent", execution="none", reason="timeout")


def calls(start: float, end: float) -> list[CallRecord]:
    """Ten calls a second."""
    return [call(start + number / 10) for number in range(round(10 * (end - start)))]


def questions(kind: str, start: float, end: float, every_s: float = 4.2) -> list[Query]:
    """A steady refresh of each name."""
    return [
        Query(host(label), kind, "udp", start + number * every_s, host(label))
        for label in LABELS_ALL
        for number in range(math.ceil((end - start) / every_s))
    ]


def story() -> Story:
    """Thirty healthy seconds, thirty of all faults at once, then healing and a move."""
    return Story(
        warming=History(calls(90.0, 93.0)),
        history=History(calls(HEALTHY_AT, HEALED_AT + 4)),
        phases=[
            Phase("healthy", HEALTHY_AT, BROKEN_AT),
            Phase("all", BROKEN_AT, HEALED_AT, {label: label for label in FAULTS}),
        ],
        queries=[
            *questions("A", HEALTHY_AT, HEALED_AT),
            *questions("AAAA", HEALTHY_AT, HEALED_AT),
        ],
        healed_at=HEALED_AT,
        moving=History(calls(MOVED_AT - 2, END)),
        moved_at=MOVED_AT,
        fresh_after_s=12.0,
    )


def extras() -> Extras:
    """What an honest sidecar shows besides."""
    told = Refusal(0.2, 502, "no_such_name", "dns")
    return Extras(
        verdicts={"slow timeout": BROKEN_AT + 3},
        unknown=[told],
        unheard=[told],
        forbidden=[told],
        high=History(calls(300.0, 320.0)),
        high_rate_per_s=1000.0,
        high_queries=[*questions("A", 300.0, 320.0), *questions("AAAA", 300.0, 320.0)],
        high_at=(300.0, 320.0),
        cold=History(calls(400.0, 401.0)),
    )


def missed(found: list[Bar]) -> list[str]:
    """The bars that did not hold, with their parts."""
    return [f"{bar.variant}: {bar.name}" for bar in found if not bar.held]


def test_an_honest_story_holds_every_bar() -> None:
    """The bars can be met."""
    assert missed(bars(story(), extras(), quick=False)) == []


def _slower(told: Story) -> None:
    told.history.records = [
        replace(r, ended_at=r.ended_at + 0.006) if BROKEN_AT <= r.scheduled_at < HEALED_AT else r
        for r in told.history.records
    ]


def _unasked(told: Story) -> None:
    told.queries = [
        q for q in told.queries if not (q.name == host("nxdomain") and q.at >= BROKEN_AT)
    ]


def _asked_per_call(told: Story) -> None:
    told.queries += questions("A", HEALTHY_AT, BROKEN_AT, 0.1)


def _aaaa_asked_twice(told: Story) -> None:
    told.queries += questions("AAAA", HEALTHY_AT + 0.1, BROKEN_AT)


def _never_asked(told: Story) -> None:
    told.queries = [q for q in told.queries if q.at >= BROKEN_AT]


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        (
            lambda told: told.history.records.append(failed(140.0)),
            ["tidegate: failed calls to known names"],
        ),
        (
            lambda told: told.moving.records.append(failed(201.0)),
            ["tidegate: failed calls to known names"],
        ),
        (_slower, ["all: growth of our share p99"]),
        (_unasked, ["tidegate: faults met by a question"]),
        (_asked_per_call, ["healthy: A questions per TTL"]),
        (_aaaa_asked_twice, ["healthy: AAAA questions per TTL"]),
        (_never_asked, ["healthy: A questions per TTL"]),
        (lambda told: setattr(told, "fresh_after_s", 35.1), ["tidegate: fresh again after"]),
        (lambda told: setattr(told, "fresh_after_s", math.nan), ["tidegate: fresh again after"]),
    ],
)
def test_each_wrong_in_the_story_misses_its_bar(
    wrong: Callable[[Story], None], names: list[str]
) -> None:
    """One wrong, one bar: none of them holds whatever happens."""
    told = story()
    wrong(told)
    assert missed(bars(told, extras(), quick=False)) == names


@pytest.mark.parametrize(
    ("wrong", "names"),
    [
        ({"cold": History([failed(400.0)])}, ["cold start in silence: failed calls"]),
        ({"cold": History()}, ["cold start in silence: failed calls"]),
        ({"verdicts": {}}, ["tidegate: verdicts with origin dns"]),
        ({"verdicts": {"slow timeout": 99.0}}, ["tidegate: verdicts with origin dns"]),
        ({"unknown": []}, ["unknown name: slowest failure"] * 1),
        (
            {"unheard": [Refusal(1.1, 502, "timeout", "dns")]},
            ["unknown name in silence: slowest failure"],
        ),
        (
            {"unknown": [Refusal(0.1, 502, "no_such_name", "partner")]},
            ["unknown name: told the reason and origin dns"],
        ),
        (
            {"unheard": [Refusal(0.1, 200, "", "")]},
            ["unknown name in silence: told the reason and origin dns"],
        ),
        ({"trapped": 1}, ["tidegate: connections to a forbidden address"]),
        ({"forbidden": []}, ["forbidden address: told the reason and origin dns"]),
        ({"high_queries": []}, ["at 1000 calls/s: A questions per TTL"]),
    ],
)
def test_each_wrong_besides_misses_its_bar(wrong: dict[str, object], names: list[str]) -> None:
    """What was never tried is missed too."""
    found = missed(bars(story(), replace(extras(), **wrong), quick=False))  # type: ignore[arg-type]
    assert set(names) <= set(found)
    assert len(found) <= 2


def test_only_the_quick_form_allows_for_the_noise_of_healthy_parts() -> None:
    """A healthy part that was slower by 3 ms widens the quick form's bar by as much, no more."""
    told = story()
    _slower(told)
    told.history.records = [
        replace(r, ended_at=r.ended_at + 0.003) if r.scheduled_at < HEALTHY_AT + 10 else r
        for r in told.history.records
    ]
    assert missed(bars(told, extras(), quick=False)) == ["all: growth of our share p99"]
    assert missed(bars(told, extras(), quick=True)) == []
    _slower(told)
    assert missed(bars(told, extras(), quick=True)) == ["all: growth of our share p99"]


def test_a_move_is_followed_when_the_last_call_left_the_old_place() -> None:
    """The figure is the last call at the old address; without one at the new there is none."""
    told = story()
    rows = [
        Execution("old" if r.scheduled_at < MOVED_AT + 6 else "new", "a", r.reference, r.nonce, 1)
        for r in told.moving.records
    ]
    assert seen_after_s(told, rows, "new") == pytest.approx(5.9)
    assert moved_bar(seen_after_s(told, rows, "new")).held
    stuck = [replace(row, partner="old") for row in rows]
    assert not moved_bar(seen_after_s(told, stuck, "new")).held
    assert not moved_bar(TTL_S + 5.1).held


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
