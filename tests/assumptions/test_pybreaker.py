"""What pybreaker 1.4 does that a payment's breaker must not: the guard is built around these.

Each test shows a trap, not a wish. Where one fails after an update, the guard
may be able to do without the detour that it takes because of it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pybreaker
import pytest


class WallClock(datetime):
    """Stands in for `datetime` inside pybreaker; `at` is the time of day it shows."""

    at = datetime(2026, 1, 1, 12, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return cls.at


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> type[WallClock]:
    """A wall clock that the test sets."""
    monkeypatch.setattr(pybreaker, "datetime", WallClock)
    monkeypatch.setattr(WallClock, "at", WallClock.at)
    return WallClock


async def _cancelled_inside(breaker: pybreaker.CircuitBreaker) -> BaseException:
    """What comes out of a task that is cancelled inside `calling()`."""

    async def body() -> None:
        with breaker.calling():
            await asyncio.Event().wait()

    task = asyncio.create_task(body())
    await asyncio.sleep(0)
    task.cancel()
    (ending,) = await asyncio.gather(task, return_exceptions=True)
    assert isinstance(ending, BaseException)
    return ending


async def test_cancellation_counts_as_a_failure() -> None:
    """An application that hangs up would open the partner's breaker."""
    breaker = pybreaker.CircuitBreaker(fail_max=5)
    assert isinstance(await _cancelled_inside(breaker), asyncio.CancelledError)
    assert breaker.fail_counter == 1


async def test_the_cancellation_that_trips_is_swallowed() -> None:
    """It comes out as an ordinary exception, so the task does not end as cancelled."""
    breaker = pybreaker.CircuitBreaker(fail_max=1)
    assert isinstance(await _cancelled_inside(breaker), pybreaker.CircuitBreakerError)
    assert breaker.current_state == pybreaker.STATE_OPEN


async def test_an_excluded_cancellation_counts_as_a_success() -> None:
    """Excluding it is no way out: a probe that was cancelled closes the breaker."""
    breaker = pybreaker.CircuitBreaker(fail_max=1, exclude=[asyncio.CancelledError])
    breaker.half_open()
    assert isinstance(await _cancelled_inside(breaker), asyncio.CancelledError)
    assert breaker.current_state == pybreaker.STATE_CLOSED


async def test_half_open_lets_every_probe_through() -> None:
    """Its lock is one thread's, and a loop is one thread: twenty probes run at once."""
    breaker = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=0)
    breaker.open()
    answer = asyncio.Event()
    inside = 0

    async def probe() -> None:
        nonlocal inside
        with breaker.calling():
            inside += 1
            await answer.wait()

    async with asyncio.TaskGroup() as probes:
        for _ in range(20):
            probes.create_task(probe())
        await asyncio.sleep(0)
        assert (breaker.current_state, inside) == (pybreaker.STATE_HALF_OPEN, 20)
        answer.set()


@pytest.mark.parametrize(
    ("jump", "lets_through"),
    [(timedelta(hours=-2), False), (timedelta(seconds=59), False), (timedelta(hours=2), True)],
    ids=["two hours back", "one second too early", "two hours on"],
)
def test_the_open_timer_reads_the_wall_clock(
    wall: type[WallClock], jump: timedelta, lets_through: bool
) -> None:
    """Set back it stays open for hours, set on it opens the way at once; no real time passes."""
    breaker = pybreaker.CircuitBreaker(fail_max=1, reset_timeout=60)
    breaker.open()
    wall.at += jump
    if lets_through:
        assert breaker.call(lambda: "sent") == "sent"
    else:
        with pytest.raises(pybreaker.CircuitBreakerError):
            breaker.call(lambda: "sent")


async def test_call_of_a_coroutine_function_sees_no_failure() -> None:
    """It calls it a success that a coroutine was made, before any of it has run."""
    breaker = pybreaker.CircuitBreaker(fail_max=1)

    async def fail() -> None:
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await breaker.call(fail)
    assert (breaker.fail_counter, breaker.current_state) == (0, pybreaker.STATE_CLOSED)


async def test_call_async_needs_tornado() -> None:
    """The asynchronous entry is tornado's, which is not installed."""
    with pytest.raises(NameError):
        pybreaker.CircuitBreaker().call_async(asyncio.sleep, 0)  # type: ignore[no-untyped-call]


def test_the_failure_that_trips_is_replaced() -> None:
    """The caller gets the breaker's error and not what happened, unless told otherwise."""

    def fail() -> None:
        raise ConnectionResetError

    with pytest.raises(pybreaker.CircuitBreakerError):
        pybreaker.CircuitBreaker(fail_max=1).call(fail)
    with pytest.raises(ConnectionResetError):
        pybreaker.CircuitBreaker(fail_max=1, throw_new_error_on_trip=False).call(fail)
