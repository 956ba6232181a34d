"""What tenacity 9 does unasked: `retry.retrying` states every bound because of it."""

from __future__ import annotations

import asyncio

import pytest
import tenacity
from tenacity import (
    AsyncRetrying,
    retry_if_exception,
    retry_if_exception_type,
    retry_if_not_exception_type,
    retry_if_result,
    stop_after_attempt,
)
from tenacity.retry import retry_base


async def test_it_never_stops_by_itself() -> None:
    """No number of attempts and no time is the end of it."""
    attempts = 0

    async def fail_for_long() -> str:
        nonlocal attempts
        attempts += 1
        if attempts <= 1000:
            raise OSError
        return "at last"

    assert AsyncRetrying().stop is tenacity.stop_never
    assert await AsyncRetrying()(fail_for_long) == "at last"


async def test_it_does_not_wait_by_itself() -> None:
    """Attempts follow each other at once."""
    assert AsyncRetrying().wait(tenacity.RetryCallState(AsyncRetrying(), None, (), {})) == 0


async def _attempts_of_a_cancelled_task(policy: retry_base) -> tuple[int, bool]:
    """How often a function is called, and whether its task ends as cancelled.

    The task is cancelled while the function waits in its first attempt.
    """
    attempts = 0

    async def attempt() -> None:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await asyncio.Event().wait()

    async def run() -> None:
        await AsyncRetrying(retry=policy, stop=stop_after_attempt(3))(attempt)

    task = asyncio.create_task(run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    return attempts, task.cancelled()


@pytest.mark.parametrize(
    "policy",
    [retry_if_exception(lambda _: True), retry_if_not_exception_type(ValueError)],
    ids=["any exception", "all but one type"],
)
async def test_broad_predicates_swallow_cancellation(policy: retry_base) -> None:
    """A cancelled call would send a second time."""
    assert await _attempts_of_a_cancelled_task(policy) == (2, False)


@pytest.mark.parametrize(
    "policy",
    [retry_if_exception_type(), retry_if_result(lambda _: False)],
    ids=["the default", "results only"],
)
async def test_results_and_the_default_let_cancellation_pass(policy: retry_base) -> None:
    """What we use: the task ends as cancelled after its one attempt."""
    assert await _attempts_of_a_cancelled_task(policy) == (1, True)


async def test_the_last_result_is_hidden_in_an_error() -> None:
    """When attempts run out with a result, that result arrives only through a callback of ours."""

    async def answer() -> str:
        return "no"

    def retrying(**options: object) -> AsyncRetrying:
        return AsyncRetrying(
            retry=retry_if_result(lambda value: value == "no"),
            stop=stop_after_attempt(2),
            **options,  # type: ignore[arg-type]
        )

    with pytest.raises(tenacity.RetryError):
        await retrying()(answer)
    last = retrying(retry_error_callback=lambda state: state.outcome.result())
    assert await last(answer) == "no"
