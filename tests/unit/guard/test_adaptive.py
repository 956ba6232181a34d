"""`proxy.guard.adaptive`: half at once, one by one back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.adaptive import AdaptiveLimit


def test_what_met_one_overload_halves_the_limit_once() -> None:
    """A hundred attempts were under way; a hundred refusals tell of one thing."""
    limit = AdaptiveLimit(64)
    for _ in range(64):
        limit.saturated(begun_at=1.0, now=2.0)
    assert limit.limit == 32
    limit.saturated(begun_at=2.5, now=3.0)
    assert limit.limit == 16


def test_a_full_window_of_successes_raises_it_by_one() -> None:
    """As many as the limit is, and up to the bound."""
    limit = AdaptiveLimit(5)
    limit.saturated(0.0, 1.0)
    seen = []
    for _ in range(20):
        limit.succeeded()
        seen.append(limit.limit)
    assert seen == [2, 3, 3, 3, 4, 4, 4, 4] + [5] * 12


def test_a_halving_begins_the_window_anew() -> None:
    """Successes of before it do not count."""
    limit = AdaptiveLimit(4)
    for _ in range(3):
        limit.succeeded()
    limit.saturated(0.0, 1.0)
    limit.succeeded()
    assert limit.limit == 2


@given(st.integers(1, 100), st.lists(st.booleans(), max_size=300))
def test_it_stays_between_one_and_its_bound(limit_max: int, answers: list[bool]) -> None:
    """Whatever comes."""
    limit = AdaptiveLimit(limit_max)
    for now, success in enumerate(answers):
        if success:
            limit.succeeded()
        else:
            limit.saturated(float(now), float(now))
        assert 1 <= limit.limit <= limit_max
