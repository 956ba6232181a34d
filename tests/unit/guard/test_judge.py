"""`proxy.guard.judge`: what calls amount to, one after the other."""

from __future__ import annotations

import pytest

from proxy.guard.evidence import Finding
from proxy.guard.judge import Judge
from proxy.guard.permit import State
from proxy.guard.policy import Policy
from proxy.guard.verdicts import Verdict

GOOD, FAILED, SLOW, OVERDUE = (
    Verdict.SUCCESS, Verdict.FAILURE, Verdict.SLOW, Verdict.OVERDUE,
)  # fmt: skip


def _found(judge: Judge, now: float, verdict: Verdict) -> Finding | None:
    judge.window.note(verdict, 0.1, now)
    return judge.weigh(verdict, now)


def _degraded(by: Verdict) -> Judge:
    """A judge of a slice that is degraded for its failures, or for its slowness."""
    judge = Judge(Policy(), 0.0)
    judge.degraded(Finding(State.DEGRADED, 0.3, 0.02, "as told", slow=by in (SLOW, OVERDUE)))
    return judge


def test_slow_is_three_times_the_ordinary_within_bounds() -> None:
    """Unknown: 10 s. Never under a second, never over ten."""
    judge = Judge(Policy(), 0.0)
    seen = []
    for p99_s in (None, 0.05, 0.9, 9.0):
        judge.window.baseline.p99_s = p99_s
        seen.append(judge.slow_s)
    assert seen == pytest.approx([10.0, 1.0, 2.7, 10.0])


def test_good_calls_prove_nothing_as_long_as_nothing_was_found() -> None:
    """A healthy slice costs no thought."""
    judge = Judge(Policy(), 0.0)
    assert all(_found(judge, float(second), GOOD) is None for second in range(100))


def test_recovery_is_told_once_enough_calls_are_good() -> None:
    """14 in a row from 30 %; the circuit says it back."""
    judge = _degraded(FAILED)
    told = [_found(judge, 0.0, GOOD) for _ in range(14)]
    assert told[:13] == [None] * 13
    assert told[13] is not None
    assert told[13].to is State.CLOSED
    judge.begin(closed=True, anew=True)
    assert not judge.is_degraded


@pytest.mark.parametrize(
    ("by", "then", "later"),
    [(FAILED, FAILED, True), (FAILED, SLOW, False), (SLOW, SLOW, True), (OVERDUE, FAILED, True)],
)
def test_a_bad_call_of_the_same_kind_puts_recovery_off(
    by: Verdict, then: Verdict, later: bool
) -> None:
    """A slow answer is an answer: it does not count against one that failed."""
    judge = _degraded(by)
    for _ in range(13):
        assert _found(judge, 0.0, GOOD) is None
    _found(judge, 0.0, then)
    assert (_found(judge, 0.0, GOOD) is None) == later


def test_degraded_is_found_once() -> None:
    """What is degraded already can only be found to be dead."""
    judge = Judge(Policy(), 0.0)
    found = [_found(judge, index / 2, (FAILED, GOOD, GOOD)[index % 3]) for index in range(60)]
    first = next(each for each in found if each is not None)
    assert first.to is State.DEGRADED
    judge.degraded(first)
    again = [_found(judge, 30.0 + index / 2, (FAILED, GOOD)[index % 2]) for index in range(60)]
    assert all(each is None or each.to is not State.DEGRADED for each in again)
    dead = [_found(judge, 60.0 + second, FAILED) for second in range(12)]
    assert any(each is not None and each.to is State.OPEN for each in dead)


def test_a_finding_without_calls_grows_old() -> None:
    """Ten minutes; without a finding nothing is old."""
    assert Judge(Policy(), 0.0).quiet(10_000.0) is None
    judge = _degraded(FAILED)
    assert judge.quiet(600.0) is None
    quiet = judge.quiet(601.0)
    assert quiet is not None
    assert quiet.to is State.CLOSED


def test_the_figures_are_those_of_the_window() -> None:
    """Counts, the share with its bounds, and times."""
    judge = Judge(Policy(), 0.0)
    for verdict in (*[GOOD] * 6, FAILED, Verdict.UNREACHABLE, Verdict.SATURATED, SLOW):
        judge.window.note(verdict, 0.1, 0.0)
    figures = judge.figures(0.0)
    assert (figures.calls, figures.failures, figures.saturated, figures.slow) == (10, 2, 1, 1)
    assert figures.share == 0.2
    assert (figures.share_low, figures.share_high) == pytest.approx((0.057, 0.510), abs=0.001)
    assert figures.p50_s == pytest.approx(0.1, rel=0.27)
    assert (figures.ordinary_p99_s, figures.ordinary_share) == (None, 0.02)
