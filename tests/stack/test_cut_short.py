"""The whole stack when it does not come to its end: bugs of ours, and the end of a drain."""

from __future__ import annotations

import asyncio

import pytest

from proxy.model.outcome import Execution
from proxy.model.route import Money
from tests.stack.stories import (
    BUSY,
    OK,
    REFUSED,
    RESET,
    THRICE,
    two_candidates,
)
from tests.support.attempt_stack import AttemptStack
from tests.support.scripted import Step


@pytest.mark.parametrize(
    ("step", "execution", "status"),
    [
        (Step(ZeroDivisionError(), write_fails=True), "none", 500),
        (Step(ZeroDivisionError()), "unknown", 502),
    ],
    ids=["before the write", "after the write"],
)
async def test_a_bug_of_ours_is_answered_with_what_is_certainly_true(
    step: Step, execution: str, status: int
) -> None:
    """No failover and no retry from an exception: it proves nothing by itself."""
    stack = AttemptStack(two_candidates(attempts=THRICE), {"a": [step], "b": []})
    answer = await stack.ask()
    assert answer.response.status == status
    assert answer.labels["execution"] == execution
    assert stack.admission.in_flight == 0


async def test_a_bug_after_an_earlier_unknown_does_not_turn_it_into_none() -> None:
    """The second candidate fails before its write; the first may have executed."""
    scripts = {"a": [RESET], "b": [Step(ZeroDivisionError(), write_fails=True)]}
    stack = AttemptStack(two_candidates(money=Money.NO), scripts)
    answer = await stack.ask()
    assert (answer.labels["execution"], answer.labels["upstream"]) == ("unknown", "a")


async def _cancelled_after(ticks: int, stack: AttemptStack) -> bool:
    """Whether a call was still at work after so many turns of the loop, and was cancelled."""
    task = asyncio.create_task(stack.ask())
    for _ in range(ticks):
        await asyncio.sleep(0)
    if task.done():
        return False
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    return True


@pytest.mark.parametrize(
    "scripts",
    [
        {"a": [OK], "b": []},
        {"a": [REFUSED, REFUSED, REFUSED], "b": [REFUSED, BUSY, OK]},
        {"a": [BUSY, RESET], "b": []},
    ],
    ids=["one attempt", "six attempts", "in doubt"],
)
async def test_a_cancellation_at_any_point_ends_it_there_and_is_told_truly(
    scripts: dict[str, list[Step]],
) -> None:
    """The end of the drain: nothing is sent after it, and unknown is said if anything was."""
    ticks = 0
    while True:
        stack = AttemptStack(two_candidates(attempts=THRICE), scripts)
        if not await _cancelled_after(ticks, stack):
            break
        sent = len(stack.sent)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(stack.sent) == sent
        assert stack.admission.in_flight == 0
        expected = Execution.UNKNOWN if sent else Execution.NONE
        assert [outcome.execution for outcome in stack.outcomes] == [expected] * bool(stack.calls)
        ticks += 1
    assert ticks > 2
