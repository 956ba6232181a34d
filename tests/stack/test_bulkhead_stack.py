"""Bulkhead, failover, admission and best effort together, on virtual time."""

from __future__ import annotations

import json

import pytest

from proxy.model.bulkhead import BestEffort, BulkheadLimits
from proxy.model.outcome import Refused
from proxy.model.route import Money, Route
from proxy.pipeline.rescue import NEXT_AFTER_NONE
from tests.stack.stories import BROKEN, HANGS, OK, REFUSED, said
from tests.support.attempt_stack import AttemptStack
from tests.support.values import candidate, response, route, rule, upstream

NO_QUEUE = BulkheadLimits(1, 0)
REPLY = response(202, body=b"queued")


def narrow(names: str) -> Route:
    """Candidates with one place each, and nobody may wait."""
    return route(*(candidate(name, upstream=upstream(name, bulkhead=NO_QUEUE)) for name in names))


def effort(*, wait: bool = True) -> Route:
    """A best-effort route that moves no money."""
    own = BestEffort(REPLY, wait, 1)
    return route(candidate(rule=rule(Money.NO)), best_effort=own, deadline_s=0.05)


async def test_a_refused_place_moves_the_call_to_the_next_candidate() -> None:
    """Nothing was sent, and no attempt was made, at the first."""
    stack = AttemptStack(narrow("ab"), {"a": [], "b": [OK]})
    assert stack.bulkheads.of("a", "authorize").take()
    assert said(await stack.ask()) == (201, "answered", "done", "b", "1")
    assert stack.sent_to == ["b"]


async def test_without_a_place_anywhere_the_call_is_refused_with_the_figures() -> None:
    """503, execution none; the application may make it again."""
    stack = AttemptStack(narrow("a"), {"a": []})
    assert stack.bulkheads.of("a", "authorize").take()
    answer = await stack.ask()
    assert said(answer) == (503, "refused", "none", "a", "0")
    members = json.loads(answer.response.body)
    assert (members["reason"], members["next"]) == ("bulkhead_full", NEXT_AFTER_NONE)
    assert members["detail"].startswith("1 of 1 attempts of authorize are at work at a")


async def test_every_attempt_gives_its_place_back() -> None:
    """However it ended."""
    stack = AttemptStack(narrow("a"), {"a": [OK, REFUSED, BROKEN, HANGS, OK]})
    statuses = [(await stack.ask()).response.status for _ in range(5)]
    assert statuses == [201, 502, 500, 504, 201]
    assert stack.bulkheads.of("a", "authorize").at_work == 0


async def test_at_the_end_of_its_budget_the_configured_reply_stands_in() -> None:
    """After 50 ms, marked, and unknown: it was sent."""
    stack = AttemptStack(effort(), {"a": [HANGS]})
    answer = await stack.ask()
    assert said(answer) == (202, "substituted", "unknown", "a", "1")
    assert answer.labels["reason"] == "deadline"
    assert answer.took_s == pytest.approx(0.05)
    assert answer.response.body == b"queued"


async def test_best_effort_that_is_shed_has_its_reply_too() -> None:
    """The caller can't tell that the house is full, except by the reason."""
    stack = AttemptStack(effort(), {"a": []})
    stack.admission.in_flight = 10
    answer = await stack.ask()
    assert said(answer)[:3] == (202, "substituted", "none")
    assert isinstance(stack.outcomes[0], Refused)


async def test_nobody_waits_for_what_is_sent_behind_its_reply() -> None:
    """Answered in no time; the partner gets the call all the same."""
    stack = AttemptStack(effort(wait=False), {"a": [OK]})
    answer = await stack.ask()
    assert said(answer)[:3] == (202, "substituted", "unknown")
    assert (answer.labels["reason"], answer.took_s) == ("in_background", 0.0)
    assert stack.sent_to == []
    await stack.background.drain(1.0)
    assert stack.sent_to == ["a"]
    assert stack.bugs == []
    assert stack.admission.in_flight == 0
