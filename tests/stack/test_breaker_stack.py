"""Breaker, failover, order and last way out together, on virtual time."""

from __future__ import annotations

import asyncio
import json

import pytest

from proxy.guard.permit import State
from proxy.model.events import BreakerChanged
from proxy.model.route import Money, Retry
from proxy.pipeline.rescue import NEXT_AFTER_NONE
from tests.stack.stories import BROKEN, OK, REFUSED, said, two_candidates
from tests.support.attempt_stack import Answer, AttemptStack

TWICE = Retry(2, 0.05, 0.5)


async def asked(stack: AttemptStack, calls: int, every_s: float = 1.0) -> list[Answer]:
    """Calls at one distance."""
    answers = []
    for _ in range(calls):
        answers.append(await stack.ask())
        stack.clock.advance(every_s)
    return answers


def changes(stack: AttemptStack) -> list[str]:
    """What the breakers became, one after the other."""
    return [each.state for each in stack.events if isinstance(each, BreakerChanged)]


async def test_a_candidate_that_refuses_connections_is_left_out_after_five() -> None:
    """From then on the call's first and only attempt is at the second one."""
    stack = AttemptStack(two_candidates(), {"a": [REFUSED] * 5, "b": [OK] * 8})
    first = await asked(stack, 5, 0.6)
    assert [said(each) for each in first] == [(201, "answered", "done", "b", "2")] * 5
    assert changes(stack) == ["open"]
    later = await asked(stack, 3, 0.6)
    assert [said(each) for each in later] == [(201, "answered", "done", "b", "1")] * 3


async def test_it_is_asked_again_when_its_probe_is_due_and_comes_back_by_and_by() -> None:
    """Three successes close it; then a growing share of the calls goes there, then all."""
    stack = AttemptStack(two_candidates(), {"a": [REFUSED] * 5 + [OK] * 60, "b": [OK] * 60})
    await asked(stack, 5, 0.6)
    stack.clock.advance(7.0)
    probes = await asked(stack, 3, 0.1)
    assert {said(each)[3] for each in probes} == {"a"}
    assert changes(stack) == ["open", "half-open", "closed"]
    ramp = [said(each)[3] for each in await asked(stack, 20, 0.1)]
    assert ramp.count("a") < 20
    assert ramp[:10].count("a") < ramp[10:].count("a")
    stack.clock.advance(2.0)
    assert {said(each)[3] for each in await asked(stack, 20, 0.1)} == {"a"}


async def test_a_single_candidate_is_throttled_and_says_so() -> None:
    """At least one call in five is tried; the others end at once, with nothing executed."""
    stack = AttemptStack(two_candidates("a"), {"a": [REFUSED] * 200})
    await asked(stack, 5)
    assert stack.guards.of("a", "authorize").state is State.OPEN
    before = stack.attempts_ended
    answers = await asked(stack, 100, 0.02)
    tried = stack.attempts_ended - before
    assert 20 <= tried < 60
    refused = [each for each in answers if each.labels["outcome"] == "refused"]
    assert len(refused) == 100 - tried
    assert said(refused[-1]) == (503, "refused", "none", "a", "0")
    members = json.loads(refused[-1].response.body)
    assert (members["reason"], members["origin"]) == ("breaker_throttled", "partner")
    assert members["next"] == NEXT_AFTER_NONE
    assert "no other way is left" in members["detail"]


async def test_full_traffic_is_back_within_seconds_of_the_first_success() -> None:
    """The calls that were let through close the breaker."""
    stack = AttemptStack(two_candidates("a"), {"a": [REFUSED] * 5 + [OK] * 200})
    await asked(stack, 5)
    answers = await asked(stack, 60, 0.1)
    assert [said(each)[0] for each in answers[50:]] == [201] * 10
    assert "closed" in changes(stack)


async def test_a_retry_is_asked_for_like_any_attempt() -> None:
    """Each attempt counts by itself: three calls of two attempts open it."""
    route = two_candidates("ab", attempts=TWICE)
    stack = AttemptStack(route, {"a": [REFUSED] * 6, "b": [OK] * 4})
    answers = await asked(stack, 3)
    assert stack.guards.of("a", "authorize").state is State.OPEN
    assert int(said(answers[2])[4]) <= 3
    assert said(await stack.ask()) == (201, "answered", "done", "b", "1")


async def test_a_cancelled_call_frees_its_permit_wherever_it_was() -> None:
    """Probes are few: one that leaked would be missed for ever."""
    stack = AttemptStack(two_candidates(), {"a": [REFUSED] * 5 + [OK] * 30, "b": [OK] * 5})
    await asked(stack, 5, 0.6)
    stack.clock.advance(7.0)
    for ticks in range(8):
        task = asyncio.ensure_future(stack.ask())
        for _ in range(ticks):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert stack.guards.of("a", "authorize").standing(stack.clock.now()).probes == 0


@pytest.mark.parametrize("money", [Money.YES, Money.NO])
async def test_a_partner_that_answers_500_to_all_is_left_out(money: Money) -> None:
    """Whether or not its calls may be tried again."""
    stack = AttemptStack(two_candidates(money=money), {"a": [BROKEN] * 30, "b": [OK] * 40})
    await asked(stack, 30, 0.2)
    last = await asked(stack, 5, 0.01)
    assert {said(each)[3] for each in last} == {"b"}
    assert stack.sent_to.count("a") < 15
