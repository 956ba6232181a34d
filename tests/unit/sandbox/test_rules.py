"""Rules about fault rules."""

from __future__ import annotations

import random
from typing import Any

import pytest

from proxy.sandbox.kinds import KINDS
from proxy.sandbox.message import PartnerRequest
from proxy.sandbox.rules import (
    RULES_MAX,
    Plan,
    Rulebook,
    RuleError,
    fault_key,
    latency_key,
    read_rules,
)


def asked(nonce: str | None = "n", **members: Any) -> PartnerRequest:
    """A visa charge in euro."""
    body = {"reference": "r", "currency": "eur", "card": {"scheme": "Visa"}}
    given = {"method": "POST", "path": "/v1/charges", "query": {}, "operation": "authorize"}
    return PartnerRequest(**{**given, "body": body, "nonce": nonce, **members})


def book(*rules: dict[str, Any], seed: int = 1) -> Rulebook:
    """A rulebook with these rules in force."""
    made = Rulebook(seed)
    made.replace(read_rules(list(rules)))
    return made


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"kind": "hang"}, "must be a JSON list"),
        ([{"kind": "hang"}] * (RULES_MAX + 1), "at most"),
        (["hang"], "rule 1: must be a JSON object"),
        ([{}], "kind must be one of"),
        ([{"kind": ["hang"]}], "kind must be one of"),
        ([{"kind": "hang"}, {"kind": "explode"}], "rule 2: kind must be one of"),
        ([{"kind": "hang", "delay_ms": 5}], "hang does not take delay_ms"),
        ([{"kind": "hang", "share": 1.5}], "share must be a number from 0 to 1"),
        ([{"kind": "hang", "share": True}], "share must be"),
        ([{"kind": "hang", "by": "dice"}], "by must be one of"),
        ([{"kind": "hang", "match": []}], "match must be a JSON object"),
        ([{"kind": "hang", "match": {"colour": "red"}}], "match does not know colour"),
        ([{"kind": "hang", "match": {"scheme": 4}}], "match.scheme must be a text"),
        ([{"kind": "hang", "execute": "after"}], "hang takes execute before or never"),
        ([{"kind": "early_close", "execute": "before"}], "early_close does not take execute"),
        ([{"kind": "reset", "after_bytes": -1}], "after_bytes must be a whole number"),
        ([{"kind": "status"}], "status needs status"),
        ([{"kind": "status", "status": 101}], "status must be a whole number from 200 to 599"),
        ([{"kind": "wrong_status", "variant": "x"}], "variant must be one of status_000"),
        ([{"kind": "slow"}], "slow needs exactly one of delay_ms, factor"),
        ([{"kind": "slow", "delay_ms": 1, "factor": 2}], "slow needs exactly one of"),
        ([{"kind": "stray_bytes", "second_answer": False}], "stray_bytes needs exactly one"),
        ([{"kind": "refuse", "share": 0.5}], "refuse is there for everybody: share"),
        ([{"kind": "workers"}], "workers needs workers"),
        ([{"kind": "workers", "workers": 0}], "workers must be a whole number from 1"),
        ([{"kind": "workers", "workers": 1, "share": 0.5}], "workers is there for everybody"),
        ([{"kind": "blackhole", "match": {"scheme": "visa"}}], "and match empty"),
    ],
)
def test_a_wrong_rule_is_refused_with_its_place_and_reason(found: object, said: str) -> None:
    """The message says which rule it is and what would be right."""
    with pytest.raises(RuleError) as refused:
        read_rules(found)
    assert said in str(refused.value)


def test_every_kind_can_be_asked_for() -> None:
    """Each kind of the table makes a rule with its required members alone."""
    needed: dict[str, dict[str, Any]] = {
        "slow": {"factor": 2},
        "workers": {"workers": 3},
        "status": {"status": 503},
        "wrong_status": {"variant": "cl_te"},
        "stray_bytes": {"bytes": "x"},
    }
    rules = read_rules([{"kind": name, **needed.get(name, {})} for name in KINDS])
    assert [rule.kind for rule in rules] == list(KINDS)


def test_a_share_is_drawn_from_the_request_whatever_the_order() -> None:
    """The same nonces meet the fault in every run, in any order, and as many as was asked."""
    requests = [asked(f"n-{number}") for number in range(2_000)]
    rule = {"kind": "hang", "share": 0.3}
    met = {r.nonce for r in requests if book(rule).plan(r).answer}
    shuffled = random.Random(1).sample(requests, len(requests))
    again = book(rule)
    assert {r.nonce for r in shuffled if again.plan(r).answer} == met
    assert len(met) == pytest.approx(600, abs=80)
    other_seed = book(rule, seed=2)
    assert {r.nonce for r in requests if other_seed.plan(r).answer} != met


def test_two_rules_of_one_stage_draw_apart() -> None:
    """The second rule takes its share of what the first left over."""
    rules = book(*({"kind": "status", "status": status, "share": 0.5} for status in (500, 503)))
    met = [rules.plan(asked(f"n-{number}")).answer for number in range(2_000)]
    statuses = [rule.params["status"] if rule else 200 for rule in met]
    assert statuses.count(500) == pytest.approx(1_000, abs=120)
    assert statuses.count(503) == pytest.approx(500, abs=100)


def test_a_counter_takes_every_nth_request_that_matches() -> None:
    """With `by: counter` and a share of a quarter it is each fourth; others do not count."""
    rules = book({"kind": "hang", "share": 0.25, "by": "counter", "match": {"scheme": "visa"}})
    met = []
    for _ in range(8):
        rules.plan(asked(body={}))
        met.append(rules.plan(asked()).answer is not None)
    assert met == [False, False, False, True] * 2


@pytest.mark.parametrize(
    ("match", "holds"),
    [
        ({"scheme": "visa", "currency": "EUR"}, True),
        ({"scheme": "VISA"}, True),
        ({"scheme": "amex"}, False),
        ({"method": "post", "path_prefix": "/v1/"}, True),
        ({"path_prefix": "/v2/"}, False),
        ({"operation": "authorize"}, True),
        ({"operation": "authorize", "currency": "usd"}, False),
    ],
)
def test_every_condition_must_hold(match: dict[str, str], holds: bool) -> None:
    """A rule meets a request when all its conditions hold, whatever their case."""
    assert (book({"kind": "hang", "match": match}).plan(asked()).answer is not None) == holds


def test_the_first_rule_of_each_stage_wins() -> None:
    """One request can be slow, then reset, or answered and then closed; never two of a stage."""
    plan = book(
        {"kind": "refuse"},
        {"kind": "reset"},
        {"kind": "hang"},
        {"kind": "early_close"},
        {"kind": "idle_408"},
        {"kind": "slow", "factor": 2},
    ).plan(asked())
    assert plan.answer is not None
    assert plan.afterwards is not None
    assert plan.pace is not None
    kinds = (plan.answer.kind, plan.afterwards.kind, plan.pace.kind)
    assert kinds == ("reset", "early_close", "slow")
    assert book().plan(asked()) == Plan()


def test_a_blackhole_swallows_a_refusal() -> None:
    """Packets that never arrive cannot be refused."""
    rule = book({"kind": "refuse"}, {"kind": "blackhole"}).listener()
    assert rule is not None
    assert rule.kind == "blackhole"
    assert book({"kind": "hang"}).listener() is None


def test_a_408_without_conditions_also_meets_fresh_connections() -> None:
    """A rule with conditions waits for a request that they can look at."""
    assert book({"kind": "idle_408"}).fresh_connection(1) is not None
    assert book({"kind": "idle_408", "match": {"scheme": "visa"}}).fresh_connection(1) is None
    some = book({"kind": "idle_408", "share": 0.5})
    met = [some.fresh_connection(number) is not None for number in range(400)]
    assert met.count(True) == pytest.approx(200, abs=50)


def test_draws_have_something_to_go_by_for_every_request() -> None:
    """Faults prefer the nonce, latencies the reference; a bare request will do for both."""
    full = asked(idempotency_key="k")
    assert (fault_key(full), latency_key(full)) == ("n", "r")
    keyed = asked(None, body={}, idempotency_key="k")
    assert (fault_key(keyed), latency_key(keyed)) == ("k", "k")
    bare = asked(None, body={})
    assert fault_key(bare) == latency_key(bare) == bare.fingerprint
