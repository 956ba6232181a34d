"""`proxy.retry.budget`: retries as a share of calls, over a window that slides."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.retry.budget import RetryBudget
from tests.support.manual_clock import ManualClock


def _budget(clock: ManualClock, ratio: float = 0.2, retries_min: int = 3) -> RetryBudget:
    return RetryBudget(ratio, 10.0, retries_min, clock.now)


def _taken(budget: RetryBudget, times: int) -> int:
    return sum(budget.take() for _ in range(times))


@pytest.mark.parametrize(
    ("calls", "allowed"), [(0, 3), (14, 3), (15, 3), (19, 3), (20, 4), (100, 20), (1004, 200)]
)
def test_retries_are_a_share_of_calls_and_a_few_always(calls: int, allowed: int) -> None:
    """Rounded down; a quiet sidecar may still retry."""
    budget = _budget(ManualClock())
    for _ in range(calls):
        budget.call()
    assert _taken(budget, 500) == allowed


def test_no_ratio_and_no_minimum_is_no_retry() -> None:
    """It can be switched off."""
    clock = ManualClock()
    budget = _budget(clock, ratio=0.0, retries_min=0)
    for _ in range(100):
        budget.call()
    assert _taken(budget, 10) == 0


def test_what_was_refused_is_not_counted() -> None:
    """Asking in vain does not push the next permit further away."""
    clock = ManualClock()
    budget = _budget(clock)
    assert _taken(budget, 100) == 3
    for _ in range(20):
        budget.call()
    assert _taken(budget, 100) == 1


def test_the_window_slides() -> None:
    """Calls and retries are forgotten together after ten slices, not before nine."""
    clock = ManualClock()
    budget = _budget(clock, retries_min=0)
    for _ in range(50):
        budget.call()
    assert _taken(budget, 100) == 10
    clock.advance(8.9)
    assert _taken(budget, 100) == 0
    clock.advance(1.1)
    assert _taken(budget, 100) == 0, "the calls are forgotten with the retries"
    for _ in range(50):
        budget.call()
    assert _taken(budget, 100) == 10


def test_a_long_silence_forgets_everything() -> None:
    """Also when the clock has gone round the slices more than once."""
    clock = ManualClock()
    budget = _budget(clock)
    for _ in range(1000):
        budget.call()
    clock.advance(86_400.0)
    assert _taken(budget, 100) == 3


@given(
    st.floats(0.0, 1.0),
    st.integers(0, 5),
    st.lists(st.tuples(st.sampled_from("ct"), st.floats(0.0, 3.0)), max_size=80),
)
def test_in_no_window_are_there_more_retries_than_allowed(
    ratio: float, retries_min: int, steps: list[tuple[str, float]]
) -> None:
    """Looked at from each permit: the retries of the last nine slices fit the calls of ten."""
    clock = ManualClock()
    budget = RetryBudget(ratio, 10.0, retries_min, clock.now)
    calls: list[float] = []
    retries: list[float] = []
    for kind, pause_s in steps:
        clock.advance(pause_s)
        now = clock.now()
        if kind == "c":
            budget.call()
            calls.append(now)
        elif budget.take():
            retries.append(now)
            recent_calls = sum(at > now - 10.0 for at in calls)
            recent_retries = sum(at > now - 9.0 for at in retries)
            assert recent_retries <= max(retries_min, int(ratio * recent_calls))
