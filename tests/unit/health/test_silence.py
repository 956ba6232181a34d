"""`proxy.health.silence` on virtual time: a busy route falls silent, and nights do not count."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from proxy.health.silence import PERIODS, Silence
from tests.support.silent_days import DAY_S, HOUR_S, START_S, calls, watch


@pytest.mark.no_cover  # volume
@pytest.mark.parametrize(("seed", "peak_per_s"), [(1, 0.05), (2, 0.2), (3, 0.02), (4, 0.2)])
def test_thirty_days_with_nights_and_weekends_have_one_false_alarm_at_most(
    seed: int, peak_per_s: float
) -> None:
    """From the first day on: what has not been learned yet alarms nobody without a reason."""
    silence = Silence(HOUR_S, 30)
    assert len(watch(silence, calls(seed, 30, peak_per_s), 5.0)) <= 1


@pytest.mark.no_cover  # volume
@pytest.mark.parametrize(
    ("seed", "peak_per_s"),
    [(15, 0.01), (18, 0.01), (12, 0.05), (11, 0.1), (8, 0.2)],
)
def test_chance_and_a_late_morning_are_no_silence(seed: int, peak_per_s: float) -> None:
    """Few calls leave long pauses, and so do the edges of a night: none of these is an alarm."""
    assert watch(Silence(HOUR_S, 30), calls(seed, 30, peak_per_s), 5.0) == []


def _fed(per_hour: Callable[[int], int], days: float) -> tuple[Silence, float]:
    """So many calls in each hour of a day, evenly but for each hour's last tenth; the last call."""
    silence, at = Silence(HOUR_S, 30), START_S
    for hour in range(int(days * 24)):
        number = per_hour(hour % 24)
        for each in range(number):
            at = START_S + hour * HOUR_S + 0.9 * HOUR_S * each / number
            silence.call(at)
    return silence, at


def test_a_morning_may_begin_a_third_of_an_hour_late() -> None:
    """The hour before it is quiet, so little is missing yet; in the middle of a day it would be."""
    silence, _ = _fed(lambda hour: 2 if hour < 6 else 90, 14 + 6 / 24)
    begin = START_S + (14 * 24 + 6) * HOUR_S
    assert silence.look(begin + HOUR_S / 3) is None
    assert silence.look(begin + HOUR_S / 2) is not None
    silence, last = _fed(lambda hour: 2 if hour < 6 else 90, 14 + 12 / 24)
    assert silence.look(begin + 6 * HOUR_S + 1.0) is None
    assert silence.look(last + 0.1 * HOUR_S + HOUR_S / 3) is not None


def test_calls_that_come_evenly_need_no_proof_by_number() -> None:
    """One a minute: three minutes without are silence, though no more calls are missing."""
    silence, at = Silence(HOUR_S, 30), START_S
    while at < START_S + 15.5 * DAY_S:
        silence.call(at)
        at += 60.0
    assert silence.look(at + 120.0) is None
    assert silence.look(at + 180.0) is not None


@pytest.mark.no_cover  # volume
@pytest.mark.parametrize("hour", [10.25, 15.5, 20.75])
def test_silence_is_found_within_three_times_the_usual_longest_pause(hour: float) -> None:
    """After two weeks, in the midst of an hour: since the last call."""
    silence = Silence(HOUR_S, 30)
    end = 14 + hour / 24
    last = 0.0
    for last in calls(5, end, 0.2):
        silence.call(last)
    usual = silence.expected(int(last // HOUR_S))
    assert usual is not None
    found_at = last
    while silence.look(found_at) is None:
        found_at += 0.1
        assert found_at - last < 3 * usual.pause_s
    assert silence.look(found_at) == (last, usual.pause_s)


def test_a_silence_lasts_until_a_call_comes_and_is_not_learned() -> None:
    """Over hours as well; afterwards the same pause is found as fast as before."""
    silence = Silence(HOUR_S, 30)
    at = START_S
    while at < START_S + 5 * HOUR_S:
        silence.call(at)
        at += 10.0
    usual = silence.expected(int(at // HOUR_S))
    for minutes in range(2, 200):
        assert silence.look(at + 60.0 * minutes) is not None
    at += 200 * 60.0
    silence.call(at)
    assert silence.look(at) is None
    assert silence.expected(int(at // HOUR_S)) == usual


def test_a_quiet_route_is_never_silent() -> None:
    """Fewer calls in an hour than make it busy."""
    silence = Silence(HOUR_S, 30)
    for number in range(20 * 24 * 7):
        silence.call(START_S + number * 180.0)
    assert silence.look(START_S + 30 * DAY_S) is None


def test_nothing_is_said_before_a_whole_hour_was_seen() -> None:
    """A sidecar that has just begun knows no usual pause."""
    silence = Silence(HOUR_S, 30)
    for number in range(100):
        silence.call(START_S + 1800.0 + number)
    assert silence.look(START_S + 1800.0 + 600.0) is None


def test_a_clock_that_is_set_begins_anew() -> None:
    """Backwards or forwards: no alarm comes from the jump itself."""
    silence = Silence(HOUR_S, 30)
    for number in range(2000):
        silence.call(START_S + number * 10.0)
    for jump_s in (-2 * HOUR_S, 9 * HOUR_S):
        assert silence.look(START_S + 20_000.0 + jump_s) is None


def test_what_was_learned_outlives_a_restart_and_is_bounded() -> None:
    """At most a week of periods."""
    silence = Silence(10.0, 30)
    for number in range(5000):
        silence.call(START_S + number * 0.5)
    learned = silence.learned()
    assert 0 < len(learned) <= PERIODS
    again = Silence(10.0, 30)
    again.recall(learned)
    assert again.learned() == learned
