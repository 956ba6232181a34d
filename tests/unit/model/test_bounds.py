"""`proxy.model.bounds`: what few calls prove, against exact sums of the binomial law."""

from __future__ import annotations

from math import comb, exp

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.bounds import surprise, wilson


def _tail(bad: int, calls: int, share: float) -> float:
    """The chance of `bad` or more of `calls`, summed exactly."""
    return sum(
        comb(calls, count) * share**count * (1.0 - share) ** (calls - count)
        for count in range(bad, calls + 1)
    )


@pytest.mark.parametrize(
    ("bad", "calls", "low", "high"),
    [(0, 10, 0.0, 0.2775), (1, 10, 0.0179, 0.4042), (5, 10, 0.2366, 0.7634), (10, 10, 0.7225, 1.0)],
)
def test_published_values(bad: int, calls: int, low: float, high: float) -> None:
    """The intervals at 95 % that textbooks print for ten calls."""
    assert wilson(bad, calls, 1.96) == pytest.approx((low, high), abs=1e-4)


def test_without_calls_everything_is_possible() -> None:
    """Nothing is concluded from nothing."""
    assert wilson(0, 0, 1.96) == (0.0, 1.0)
    assert surprise(0, 0, 0.02) == 0.0


@given(st.integers(1, 400), st.data())
def test_the_share_lies_between_its_bounds(calls: int, data: st.DataObject) -> None:
    """And both bounds are shares."""
    bad = data.draw(st.integers(0, calls))
    low, high = wilson(bad, calls, 2.576)
    assert 0.0 <= low <= bad / calls + 1e-12
    assert bad / calls - 1e-12 <= high <= 1.0


@given(st.integers(1, 60), st.sampled_from((0.005, 0.02, 0.1, 0.2)), st.data())
def test_chance_is_never_more_than_promised(
    calls: int, ordinary: float, data: st.DataObject
) -> None:
    """The exact probability of what was seen is at most exp(-surprise), at any number of calls."""
    bad = data.draw(st.integers(0, calls))
    assert _tail(bad, calls, ordinary) <= exp(-surprise(bad, calls, ordinary)) + 1e-12


@pytest.mark.parametrize(("bad", "calls"), [(0, 50), (1, 50), (2, 100)])
def test_up_to_the_ordinary_share_nothing_is_surprising(bad: int, calls: int) -> None:
    """Fewer failures than usual are no news."""
    assert surprise(bad, calls, 0.02) == 0.0
