"""`proxy.routing.eligibility`: the money rule, as a full truth table and as a property."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.egress import Egress
from proxy.model.outcome import (
    Answered,
    Execution,
    InDoubt,
    Origin,
    Outcome,
    Refused,
    Unsent,
)
from proxy.model.phase import Phase
from proxy.model.route import Money
from proxy.routing.eligibility import may_try_again, more_telling, moves_money, ways_to
from tests.support.values import candidate, response, route, rule, upstream

WAYS = {name: Egress((name,) if name in "pq" else ()) for name in "abpq"}
METHODS = (b"GET", b"HEAD", b"POST", b"PUT", b"PATCH", b"DELETE", b"OPTIONS", b"get", b"CHARGE")

MOVES = {
    (money, method): money is Money.YES
    or (money is Money.BY_METHOD and method not in (b"GET", b"HEAD"))
    for money in Money
    for method in METHODS
}


def _outcomes(execution: Execution) -> list[Outcome]:
    """Every kind of outcome, with this execution whether or not it is usual for the kind."""
    return [
        *(Answered("acme", "a", response(status), execution) for status in (200, 402, 429, 503)),
        Refused("shed", 503, "No.", execution=execution),
        *(Unsent("acme", "a", phase, "x", Origin.PARTNER, execution) for phase in Phase),
        *(InDoubt("acme", "a", phase, "x", Origin.NETWORK, execution) for phase in Phase),
    ]


@pytest.mark.parametrize(("money", "method"), list(itertools.product(Money, METHODS)))
def test_an_operation_moves_money_as_declared_or_by_its_method(money: Money, method: bytes) -> None:
    """Only exactly GET and HEAD are safe, and only where the operation leaves it to the method."""
    assert moves_money(rule(money), method) is MOVES[money, method]


@pytest.mark.parametrize("execution", list(Execution))
@pytest.mark.parametrize("money", list(Money))
@pytest.mark.parametrize("method", METHODS)
def test_the_whole_table(execution: Execution, money: Money, method: bytes) -> None:
    """none: yes. done: no. unknown: only where no money moves. For every kind of outcome alike."""
    expected = {
        Execution.NONE: True,
        Execution.DONE: False,
        Execution.UNKNOWN: not MOVES[money, method],
    }[execution]
    for outcome in _outcomes(execution):
        assert may_try_again(outcome, rule(money), method) is expected


EXECUTIONS = st.sampled_from(list(Execution))
OUTCOMES = EXECUTIONS.flatmap(lambda execution: st.sampled_from(_outcomes(execution)))


@given(OUTCOMES, st.binary(max_size=8), st.dictionaries(st.integers(1, 599), EXECUTIONS))
def test_money_is_never_tried_again_unless_nothing_was_executed(
    outcome: Outcome, method: bytes, statuses: dict[int, Execution]
) -> None:
    """No status, phase, reason, method or table changes it where money is declared."""
    allowed = may_try_again(outcome, rule(Money.YES, statuses), method)
    assert allowed is (outcome.execution is Execution.NONE)


@given(OUTCOMES, OUTCOMES)
def test_what_is_reported_never_says_less_than_was_known(earlier: Outcome, later: Outcome) -> None:
    """Done outweighs everything, an unknown is never hidden behind a none."""
    told = more_telling(earlier, later)
    assert told is earlier or told is later
    weights = {Execution.NONE: 0, Execution.UNKNOWN: 1, Execution.DONE: 2}
    strongest = max(weights[earlier.execution], weights[later.execution])
    assert weights[told.execution] == strongest


@given(st.lists(OUTCOMES, min_size=1, max_size=6))
def test_none_is_reported_only_if_all_were_none(outcomes: list[Outcome]) -> None:
    """Folded over a whole call, as failover does."""
    told = outcomes[0]
    for outcome in outcomes[1:]:
        told = more_telling(told, outcome)
    all_none = all(outcome.execution is Execution.NONE for outcome in outcomes)
    assert (told.execution is Execution.NONE) is all_none


def test_among_equals_an_answer_says_more_and_then_the_later() -> None:
    """A partner's own words before a failure, fresh news before old."""
    busy = Answered("acme", "a", response(429), Execution.NONE)
    refused = Unsent("acme", "b", Phase.CONNECT, "refused", Origin.PARTNER)
    again = Unsent("acme", "c", Phase.CONNECT, "timeout", Origin.NETWORK)
    assert more_telling(busy, refused) is busy
    assert more_telling(refused, busy) is busy
    assert more_telling(refused, again) is again


@given(
    chosen=st.permutations(["a", "p", "b", "q"]).map(lambda names: names[:2]),
    sent_to=st.sampled_from(["a", "p", "b", "q"]),
)
def test_a_repetition_goes_to_the_endpoint_that_had_the_call(
    chosen: list[str], sent_to: str
) -> None:
    """By every way that leads there, those open to new calls first; to no other endpoint ever."""
    twins = {"a": "p", "p": "a", "b": "q", "q": "b"}
    each = {
        name: candidate(
            upstream=replace(upstream("ab"[name in "bq"]), name=name, egress=WAYS[name])
        )
        for name in twins
    }
    at = route(*each.values())
    found = [
        made.upstream.name for made in ways_to(sent_to, tuple(each[name] for name in chosen), at)
    ]
    same = {sent_to, twins[sent_to]}
    assert set(found) == same
    assert found == sorted(found, key=lambda name: name not in chosen)
    assert [name for name in found if name in chosen] == [name for name in chosen if name in same]


def test_what_was_sent_where_the_route_no_longer_leads_goes_nowhere() -> None:
    """No candidate is near enough."""
    assert ways_to("gone", (), route(candidate("a"))) == ()
