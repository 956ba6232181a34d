"""`proxy.routing.explain`: everything that would apply to a call, and no secret."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.bulkhead import BestEffort, BulkheadLimits
from proxy.model.checking import CheckKind, CheckLimits, CheckRequest, Standby
from proxy.model.egress import Egress, ForwardProxy
from proxy.model.message import header
from proxy.model.outcome import Execution
from proxy.model.route import Candidate, HeaderRules, KeyFrom, Money, OwnKeys, Retry, Route
from proxy.model.settling import NO_RULE, SettleRule
from proxy.routing.explain import explain
from proxy.routing.table import RouteTable
from tests.support.values import candidate, response, route, rule, upstream
from tests.unit.idempotency.values import INQUIRY, KEYED, REVERSAL

RULES = HeaderRules(
    (header(b"Authorization", b"Bearer sk_live_secret"),), frozenset((b"x-b", b"x-a"))
)
FIRST = candidate(
    "a", upstream=upstream("a", tls=True, base_path=b"/v1"), headers=RULES, rule=rule(Money.YES)
)
SECOND = candidate("b", "bank", rule=rule(Money.NO, {402: Execution.NONE}))
ROUTE = route(
    FIRST,
    SECOND,
    deadline_s=12.5,
    line=42,
    allow_eof_body=True,
    retry=Retry(3, 0.05, 0.5),
)


CHECKED = [
    (CheckLimits(), "checks     connects each 20 s, and before a breaker's probe"),
    (CheckLimits(CheckKind.OFF), "checks     none"),
    (
        CheckLimits(
            CheckKind.REQUEST, 5.0,
            request=CheckRequest(b"HEAD", b"/up", "inquire", b"", frozenset((2,))),
        ),
        "checks     HEAD /up each 5 s, and before a breaker's probe",
    ),
]  # fmt: skip


def _sent(at: Route, chosen: Candidate) -> bytes:
    return b"/at-" + chosen.upstream.name.encode()


def _explained(table: RouteTable | None = None, target: str = "/psp/charges") -> str:
    text = explain(table or RouteTable([ROUTE]), "localhost", target, "POST", _sent)
    assert text is not None
    return text


@pytest.mark.parametrize(
    "part",
    [
        "route charges (line 42)",
        "operation  authorize",
        "deadline   12.5 s",
        "at most 3 at each candidate",
        "allow_eof_body",
        "candidate 1: a of acme, https://a.example/v1",
        "candidate 2: b of bank, http://b.example",
        "target     POST /at-a",
        "target     POST /at-b",
        "connects   to what a.example resolves to",
        "key        none: calls are not journalled",
        "queue 1 s, resolve 5 s, connect 4 s, tls 4 s, send 10 s, first_byte 30 s, body 10 s",
        "sets Authorization",
        "removes x-a, x-b",
        "priority   payment",
        "bulkhead   at most 100 attempts at work, 100 calls waiting",
        "breaker    opens after 5 connection failures in a row, or where clearly 50% fail, for 5 s",
    ],
)
def test_every_rule_in_force_is_named(part: str) -> None:
    """Route and line, operation, deadline, attempts, candidates in order, timeouts, headers."""
    assert part in _explained()


def test_each_candidate_says_what_an_unknown_means_there() -> None:
    """The money rule is the candidate's own."""
    first, second = _explained().split("candidate 2")
    assert "never tried again" in first
    assert "may be tried again" in second


def test_the_whole_status_table_is_shown() -> None:
    """Exact statuses beside classes, by what they prove."""
    second = _explained().split("candidate 2")[1]
    assert "2xx 3xx 4xx = done" in second
    assert "5xx 408 409 425 = unknown" in second
    assert "402 429 = none" in second


def test_values_of_headers_are_never_shown() -> None:
    """They are the partners' credentials."""
    assert "secret" not in _explained()


def test_what_is_not_set_is_not_mentioned() -> None:
    """A plain route has plain lines."""
    text = _explained(RouteTable([route()]))
    assert "(line" not in text
    assert "headers" not in text
    assert "allow_eof_body" not in text


@pytest.mark.parametrize("wait", [True, False])
def test_best_effort_says_what_stands_in(wait: bool) -> None:
    """And whether anybody waits for the partner at all."""
    effort = BestEffort(response(204), wait, 9)
    text = _explained(RouteTable([route(best_effort=effort)]))
    assert "204 stands in" in text
    assert "at most 9 at work" in text
    assert ("sent behind it" in text) is not wait
    assert "bulkhead" not in text


@pytest.mark.parametrize(
    ("mode", "shown"),
    [(BreakerMode.OFF, "breaker    off"), (BreakerMode.SHADOW, "it refuses nothing")],
)
def test_a_breaker_that_does_not_act_says_so(mode: BreakerMode, shown: str) -> None:
    """Off, or in shadow mode."""
    at = upstream(breaker=BreakerLimits(mode))
    assert shown in _explained(RouteTable([route(candidate(upstream=at))]))


def test_an_adaptive_bulkhead_says_so() -> None:
    """Its limit may be lower than the one shown."""
    places = upstream(bulkhead=BulkheadLimits(5, 2, adaptive=True))
    text = _explained(RouteTable([route(candidate(upstream=places))]))
    assert "at most 5 attempts at work, 2 calls waiting, adaptive" in text


def test_no_route_is_none() -> None:
    """The command line says so and exits with an error."""
    assert explain(RouteTable([ROUTE]), "localhost", "/elsewhere", "POST", _sent) is None


def test_it_says_that_it_is_the_file_alone() -> None:
    """A running sidecar may have been told otherwise."""
    assert "tidegate route list" in _explained().splitlines()[-1]


@pytest.mark.parametrize(
    ("key_from", "words"),
    [
        (KeyFrom.REQUIRED, "calls without it are refused"),
        (KeyFrom.OPTIONAL, "calls without it are not journalled"),
        (KeyFrom.FIELDS, "else from /id, /amount"),
    ],
)
def test_where_a_key_comes_from_is_said(key_from: KeyFrom, words: str) -> None:
    """And what becomes of a call without one."""
    rule = replace(KEYED, key_from=key_from, fields=("/id", "/amount"))
    text = _explained(RouteTable([replace(ROUTE, idempotency=rule)]))
    assert "from the header idempotency-key" in text
    assert words in text


@pytest.mark.parametrize(
    ("resend_s", "settle", "unknown", "settled"),
    [
        (0.0, NO_RULE, "never tried again", "by a webhook or operator"),
        (60.0, NO_RULE, "repeated, here, within 60 s", "by a retry with its key"),
        (0.0, SettleRule(INQUIRY), "never tried again", "by asking the partner"),
        (60.0, SettleRule(INQUIRY, None, True), "once it was asked", "by asking the partner"),
        (0.0, SettleRule(None, REVERSAL), "never tried again", "by a reversal"),
    ],
)
def test_what_follows_an_unknown_goes_by_the_settle_mode(
    resend_s: float, settle: SettleRule, unknown: str, settled: str
) -> None:
    """A repetition under the partner's key is one more try, and must not be denied."""
    first = replace(FIRST, own_keys=OwnKeys(b"K", resend_s=resend_s), settle=settle)
    text = _explained(RouteTable([replace(route(first), idempotency=KEYED)]))
    assert unknown in text
    assert f"settled    {settled}" in text


def test_the_way_out_is_shown() -> None:
    """The source and the proxy, whose name servers then count, and never its password."""
    proxy = ForwardProxy("::1", 3128, tls=True, authorization=b"Basic eA==")
    egress = Egress(("192.0.2.7", "2001:db8::7"), proxy)
    by_proxy = replace(FIRST, upstream=replace(FIRST.upstream, egress=egress))
    said = _explained(RouteTable([route(by_proxy)]))
    assert (
        "connects   to what a.example resolves to there, from 192.0.2.7 and 2001:db8::7, "
        "through https://[::1]:3128"
    ) in said
    assert "eA==" not in said


def test_pinned_addresses_are_shown() -> None:
    """No name server is asked for them."""
    pinned = replace(FIRST, upstream=replace(FIRST.upstream, addresses=("192.0.2.1",)))
    assert "connects   to 192.0.2.1, pinned" in _explained(RouteTable([route(pinned)]))
    named = replace(FIRST, upstream=replace(FIRST.upstream, resolve_as="[2001:db8::1]"))
    assert "connects   to [2001:db8::1], an address" in _explained(RouteTable([route(named)]))


@pytest.mark.parametrize(("limits", "line"), CHECKED)
def test_how_an_upstream_is_checked_is_told(limits: CheckLimits, line: str) -> None:
    """What is done, how often, and that probes wait for it."""
    first = replace(FIRST, upstream=replace(FIRST.upstream, checks=limits))
    assert line in _explained(RouteTable([route(first, SECOND)])).replace("  checks", "checks")


def test_an_upstream_without_company_is_checked_before_a_probe_alone() -> None:
    """There is nowhere else to go, so nothing is done by itself."""
    assert "checks     connects before a probe" in _explained(RouteTable([route(FIRST)]))


def test_the_standbys_share_is_told() -> None:
    """A call may go to a later candidate although the first is well."""
    text = _explained(RouteTable([route(FIRST, SECOND, standby=Standby(0.01, 600.0))]))
    assert "standby    1.00% of new calls, and one each 600 s at least" in text
