"""`proxy.guard.baseline`: what is ordinary here, and what is never learned as ordinary."""

from __future__ import annotations

from itertools import pairwise

import pytest

from proxy.guard.baseline import BOUNDS, LEARNED_MIN, PERIOD_S, Baseline, quantile


def _pass(
    baseline: Baseline, begin: float, seconds: float, took_s: float, *, failing: bool = False
) -> float:
    """Five calls a second; gives the instant behind the last."""
    for index in range(int(seconds * 5)):
        now = begin + index / 5
        if failing:
            baseline.failed(now)
        else:
            baseline.answered(took_s, now)
    return begin + seconds


def test_the_bounds_reach_90_s() -> None:
    """Each above the one before it, by a little more than a quarter."""
    assert BOUNDS[0] == 0.001
    assert BOUNDS[-1] == 90.0
    steps = [upper / lower for lower, upper in pairwise(BOUNDS)]
    assert max(steps) < 1.27
    assert min(steps) > 1.0


@pytest.mark.parametrize("took_s", [0.0005, 0.004, 0.25, 3.0, 30.0, 89.0])
def test_a_quantile_is_near_the_truth(took_s: float) -> None:
    """Within a bucket's width of the time that every call took."""
    baseline = Baseline(0.0)
    _pass(baseline, 0.0, 20.0, took_s)
    for share in (0.5, 0.99):
        found = baseline.recent(share, 20.0)
        assert found is not None
        assert took_s / 1.27 <= found <= max(0.001, took_s * 1.27)


def test_what_takes_longer_than_90_s_counts_as_90_s() -> None:
    """The histogram has an end."""
    baseline = Baseline(0.0)
    baseline.answered(500.0, 0.0)
    assert baseline.recent(0.5, 0.0) == 90.0


def test_without_calls_there_is_no_quantile() -> None:
    """And failures have no latency."""
    baseline = Baseline(0.0)
    baseline.failed(0.0)
    assert baseline.recent(0.99, 0.0) is None
    assert quantile([0.0] * (len(BOUNDS) + 2), 0.5) is None


def test_it_learns_with_a_delay_and_only_from_enough() -> None:
    """Half a minute is looked at in peace before it becomes the past."""
    baseline = Baseline(0.0)
    now = _pass(baseline, 0.0, 2.0 * PERIOD_S, 0.2)
    assert baseline.p99_s is None
    baseline.answered(0.2, now)
    assert baseline.p99_s == pytest.approx(0.2, rel=0.27)
    assert baseline.share == 0.0
    quiet = Baseline(0.0)
    for index in range(int(LEARNED_MIN)):
        quiet.answered(0.2, index * 0.5)
    quiet.answered(0.2, 61.0)
    assert quiet.p99_s is None


def test_a_share_of_failures_is_learned() -> None:
    """A partner that always fails a little is ordinary in that."""
    baseline = Baseline(0.0)
    for index in range(3000):
        if index % 20:
            baseline.answered(0.2, index / 5)
        else:
            baseline.failed(index / 5)
    assert baseline.share == pytest.approx(0.05, abs=0.01)


def test_trouble_is_not_learned() -> None:
    """What was noted before it was noticed is thrown away, and what comes is passed over."""
    baseline = Baseline(0.0)
    now = _pass(baseline, 0.0, 300.0, 0.2)
    learned = baseline.p99_s
    now = _pass(baseline, now, 40.0, 8.0)
    baseline.taint()
    baseline.learning = False
    now = _pass(baseline, now, 300.0, 8.0, failing=True)
    baseline.learning = True
    baseline.taint()
    _pass(baseline, now, 10.0, 0.2)
    assert baseline.p99_s == pytest.approx(learned, rel=0.05)
    assert baseline.share == 0.0


def test_it_forgets_half_in_an_hour() -> None:
    """A partner that became slower for good is ordinary again after some hours."""
    baseline = Baseline(0.0)
    now = _pass(baseline, 0.0, 3600.0, 0.1)
    _pass(baseline, now, 8.0 * 3600.0, 1.0)
    assert baseline.recent(0.5, now + 8 * 3600.0) == pytest.approx(1.0, rel=0.27)
    assert baseline.p99_s == pytest.approx(1.0, rel=0.27)


def test_a_long_silence_leaves_the_past_and_nothing_recent() -> None:
    """A night without calls is no news about the day."""
    baseline = Baseline(0.0)
    now = _pass(baseline, 0.0, 300.0, 0.2)
    assert baseline.recent(0.5, now + 36_000.0) is None
    assert baseline.p99_s == pytest.approx(0.2, rel=0.27)


def test_both_quantiles_at_once_are_those_asked_for_one_by_one() -> None:
    """Of both half minutes, the one before included; without calls there is neither."""
    baseline = Baseline(0.0)
    assert baseline.recent_p50_p99(0.0) == (None, None)
    for number in range(90):
        baseline.answered(0.001 * 1.08**number, 0.5 * number)
    now = 45.0
    assert baseline.recent_p50_p99(now) == (baseline.recent(0.5, now), baseline.recent(0.99, now))
