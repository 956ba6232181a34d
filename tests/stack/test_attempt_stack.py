"""Failover, retry, deadline and rescue together: the stories that the house is built for."""

from __future__ import annotations

import json

import pytest

from proxy.model.message import Failure
from proxy.model.outcome import Execution
from proxy.model.phase import Phase
from proxy.model.route import Money
from proxy.pipeline.rescue import NEXT_AFTER_NONE, NEXT_AFTER_UNKNOWN
from tests.stack.stories import (
    BLACKHOLE,
    BROKEN,
    BUSY,
    HANGS,
    OK,
    REFUSED,
    RESET,
    STALE,
    THRICE,
    next_step,
    said,
    two_candidates,
)
from tests.support.attempt_stack import AttemptStack
from tests.support.scripted import Step
from tests.support.values import headers, request, response


async def test_a_charge_goes_to_the_first_candidate_and_its_answer_comes_back() -> None:
    """One write, one attempt, the partner's own body."""
    stack = AttemptStack(two_candidates(), {"a": [OK], "b": []})
    answer = await stack.ask()
    assert said(answer) == (201, "answered", "done", "a", "1")
    assert answer.response.body == response().body
    assert stack.sent_to == ["a"]


@pytest.mark.parametrize("failing", [REFUSED, BLACKHOLE, STALE])
async def test_when_the_primary_cannot_be_reached_the_payment_succeeds_elsewhere(
    failing: Step,
) -> None:
    """INC-08, the unsent part: refused, blackholed, or gone stale in the pool."""
    stack = AttemptStack(two_candidates(), {"a": [failing], "b": [OK]})
    assert said(await stack.ask()) == (201, "answered", "done", "b", "2")
    assert stack.sent_to == ["b"]


@pytest.mark.parametrize("failing", [RESET, HANGS, BROKEN])
async def test_a_charge_that_may_have_left_is_never_sent_again(failing: Step) -> None:
    """Neither to the same upstream, with attempts left, nor to the next one."""
    stack = AttemptStack(two_candidates(attempts=THRICE), {"a": [failing], "b": []})
    answer = await stack.ask()
    assert answer.labels["execution"] == "unknown"
    assert (answer.labels["upstream"], answer.labels["attempts"]) == ("a", "1")
    assert stack.sent_to == ["a"]


async def test_an_inquiry_may_be_asked_elsewhere_after_an_unknown() -> None:
    """It moves no money; but it is not hammered on the upstream that hangs."""
    stack = AttemptStack(two_candidates(money=Money.NO, attempts=THRICE), {"a": [RESET], "b": [OK]})
    assert said(await stack.ask()) == (201, "answered", "done", "b", "2")
    assert stack.sent_to == ["a", "b"]


async def test_an_unknown_is_reported_though_a_later_candidate_was_never_reached() -> None:
    """What the second says ("nothing was sent") is not true of the call."""
    stack = AttemptStack(two_candidates(money=Money.NO), {"a": [RESET], "b": [REFUSED]})
    answer = await stack.ask()
    assert said(answer) == (502, "in_doubt", "unknown", "a", "2")
    assert next_step(answer) == NEXT_AFTER_UNKNOWN


async def test_each_candidate_has_its_own_attempts() -> None:
    """Three at the first, then three at the second, all proven unsent."""
    scripts = {"a": [REFUSED] * 3, "b": [REFUSED, REFUSED, OK]}
    stack = AttemptStack(two_candidates(attempts=THRICE), scripts)
    assert said(await stack.ask()) == (201, "answered", "done", "b", "6")
    assert [record.number for record in stack.attempts] == [1, 2, 3, 4, 5, 6]
    assert stack.sent_to == ["b"]


async def test_when_nobody_can_be_reached_the_application_may_try_again() -> None:
    """502, none, and every attempt counted."""
    scripts = {"a": [REFUSED] * 3, "b": [REFUSED] * 3}
    stack = AttemptStack(two_candidates(attempts=THRICE), scripts)
    answer = await stack.ask()
    assert said(answer) == (502, "unsent", "none", "b", "6")
    assert next_step(answer) == NEXT_AFTER_NONE
    assert stack.sent_to == []


async def test_a_partner_that_is_busy_is_given_its_time_and_then_left() -> None:
    """429 proves none: wait as asked, try again there, then elsewhere."""
    stack = AttemptStack(two_candidates(attempts=THRICE), {"a": [BUSY] * 3, "b": [OK]})
    answer = await stack.ask()
    assert said(answer) == (201, "answered", "done", "b", "4")
    assert all(waited_s >= 1.0 for waited_s in stack.clock.slept)
    assert stack.sent_to == ["a", "a", "a", "b"]


async def test_the_partners_own_answer_is_told_rather_than_a_later_failure() -> None:
    """429 with its Retry-After says more than that the other was not reached."""
    stack = AttemptStack(two_candidates(), {"a": [BUSY], "b": [REFUSED]})
    answer = await stack.ask()
    assert said(answer) == (429, "answered", "none", "a", "2")


async def test_one_deadline_bounds_all_attempts_and_waits() -> None:
    """Blackholes at both candidates: the answer comes at the deadline, and it says none."""
    route_ = two_candidates(attempts=THRICE, deadline_s=6.0)
    stack = AttemptStack(route_, {"a": [BLACKHOLE] * 3, "b": [BLACKHOLE] * 3})
    answer = await stack.ask()
    assert answer.labels["execution"] == "none"
    assert answer.response.status == 504
    assert answer.took_s <= 6.0
    assert stack.sent_to == []


async def test_a_hanging_partner_costs_the_deadline_and_not_more() -> None:
    """INC-04: in doubt at the deadline, with the partner named."""
    stack = AttemptStack(two_candidates(deadline_s=3.0), {"a": [HANGS], "b": []})
    answer = await stack.ask()
    assert said(answer) == (504, "in_doubt", "unknown", "a", "1")
    assert answer.took_s == pytest.approx(3.0)
    members = json.loads(answer.response.body)
    assert (members["reason"], members["origin"]) == ("deadline", "partner")


async def test_the_applications_own_deadline_is_in_force_below() -> None:
    """It hangs up earlier, so we stop earlier."""
    stack = AttemptStack(two_candidates(deadline_s=30.0), {"a": [HANGS], "b": []})
    answer = await stack.ask(request(fields=headers(("Tidegate-Deadline-Ms", "250"))))
    assert answer.took_s == pytest.approx(0.25)
    assert b"Tidegate" not in stack.sent[0].payload


async def test_a_call_that_spent_its_budget_on_the_way_is_not_sent() -> None:
    """The pool's connection comes one instant too late: nothing leaves, at no candidate."""
    late = Step(Failure(Phase.QUEUE, "pool_timeout", sent=False), takes_s=3.0)
    stack = AttemptStack(two_candidates(deadline_s=3.0), {"a": [late], "b": []})
    answer = await stack.ask()
    assert answer.labels["execution"] == "none"
    assert stack.sent_to == []


async def test_without_retry_budget_there_is_still_failover() -> None:
    """Trouble at one upstream is not multiplied there, and not suffered either."""
    stack = AttemptStack(
        two_candidates(attempts=THRICE), {"a": [REFUSED], "b": [OK]}, retries_min=0
    )
    assert said(await stack.ask()) == (201, "answered", "done", "b", "2")


async def test_every_attempt_and_every_call_is_told_once() -> None:
    """What is counted is what happened."""
    stack = AttemptStack(two_candidates(attempts=THRICE), {"a": [REFUSED] * 3, "b": [OK]})
    await stack.ask()
    await stack.ask(request(target=b"/nowhere"))
    assert stack.attempts_ended == 4
    assert len(stack.outcomes) == 2
    assert stack.outcomes[1].execution is Execution.NONE


async def test_each_candidate_gets_its_own_rewriting_of_the_same_call() -> None:
    """Same body and trace; its own host; its own span."""
    stack = AttemptStack(two_candidates(), {"a": [BUSY], "b": [OK]})
    await stack.ask()
    first, second = (each.payload for each in stack.sent)
    assert b"Host: a.example\r\n" in first
    assert b"Host: b.example\r\n" in second
    assert first.endswith(b'{"amount":1}')
    assert second.endswith(b'{"amount":1}')
    traces = [payload.split(b"traceparent: ")[1].split(b"\r\n")[0] for payload in (first, second)]
    assert traces[0][:36] == traces[1][:36]
    assert traces[0] != traces[1]
