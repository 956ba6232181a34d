"""`proxy.retry.retrying`: what tenacity must not do with exceptions, cancellation and memory."""

from __future__ import annotations

import asyncio
import gc
import random

import pytest

from proxy.model.call import Call
from proxy.model.outcome import (
    Outcome,
)
from proxy.model.route import Candidate, Retry
from proxy.retry.budget import RetryBudget
from proxy.retry.retrying import retry
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, request, route
from tests.unit.retry.tries import DONE, REFUSED, Retrying


async def test_no_call_waits_for_the_garbage_collector() -> None:
    """Its body, which holds card data, is gone with it; tenacity's own objects form cycles."""
    gc.collect()
    gc.disable()
    try:
        await Retrying(REFUSED, REFUSED, DONE).run(call(request(body=b"this very call")))
        calls = [each for each in gc.get_objects() if isinstance(each, Call)]
    finally:
        gc.enable()
    assert [each for each in calls if each.request.body == b"this very call"] == []


async def test_a_bug_passes_through_and_is_not_repeated() -> None:
    """An exception is no outcome: whether bytes left is not known here."""
    error = ZeroDivisionError()
    retrying = Retrying(REFUSED, error, DONE)
    with pytest.raises(ZeroDivisionError) as raised:
        await retrying.run()
    assert raised.value is error
    assert retrying.asked == 2


@pytest.mark.parametrize("first", [0, 1])
async def test_a_cancelled_attempt_is_not_repeated(first: int) -> None:
    """With a broader rule tenacity would swallow a cancellation, and send again."""
    retrying = Retrying(*[REFUSED] * first, asyncio.CancelledError(), DONE)
    with pytest.raises(asyncio.CancelledError):
        await retrying.run()
    assert retrying.asked == first + 1


async def test_a_cancellation_while_waiting_ends_the_wait_and_the_call() -> None:
    """The drain must not be followed by another attempt."""
    clock, asleep, asked = ManualClock(), asyncio.Event(), 0

    async def sleep(_: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    async def inner(made: Call, at: Candidate) -> Outcome:
        nonlocal asked
        asked += 1
        return REFUSED

    budget = RetryBudget(0.0, 10.0, 9, clock.now)
    handle = retry(budget, clock, sleep, random.Random(1))(inner)
    made = call(taken=route(retry=Retry(3, 0.05, 0.5)))
    task = asyncio.create_task(_as_task(handle(made, candidate())))
    await asleep.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert asked == 1


async def _as_task(awaitable: object) -> Outcome:
    assert asyncio.iscoroutine(awaitable)
    outcome: Outcome = await awaitable
    return outcome
