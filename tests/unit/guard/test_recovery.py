"""`proxy.guard.recovery`: when it is over, and how traffic returns."""

from __future__ import annotations

import random

import pytest

from proxy.guard.recovery import OpenTime, Ramp, Recovery


@pytest.mark.parametrize(("found", "calls"), [(0.1, 55), (0.3, 14), (0.5, 7), (1.0, 7)])
def test_the_rarer_the_failures_the_more_good_calls_it_takes(found: float, calls: int) -> None:
    """From more than half failing it takes as many as from half; 2 % are ordinary here."""
    recovery = Recovery(found, 0.02)
    assert [recovery.good() for _ in range(calls)] == [False] * (calls - 1) + [True]


def test_a_bad_call_costs_and_is_forgiven() -> None:
    """The sum never falls below none, so old failures are no debt."""
    recovery = Recovery(0.3, 0.02)
    for _ in range(1000):
        recovery.bad()
    assert sum(not recovery.good() for _ in range(14)) == 13


def test_what_still_fails_does_not_recover() -> None:
    """A hundred thousand calls at the share that was found: less than one in 300 ends it."""
    rng = random.Random(3)
    ended = 0
    recovery = Recovery(0.3, 0.02)
    for _ in range(100_000):
        if rng.random() < 0.3:
            recovery.bad()
        elif recovery.good():
            ended += 1
            recovery = Recovery(0.3, 0.02)
    assert ended < 300


def test_the_ramp_grows_from_its_start_to_all() -> None:
    """In proportion to time, and then for ever."""
    ramp = Ramp(0.2, 4.0, 100.0)
    assert [ramp.share(100.0 + passed) for passed in (0, 1, 2, 4, 1000)] == pytest.approx(
        [0.2, 0.4, 0.6, 1.0, 1.0]
    )


def test_the_ramp_lets_its_share_through_without_chance() -> None:
    """The first call goes; of any in a row as many as the share says, but for one."""
    ramp = Ramp(0.2, 4.0, 0.0)
    admitted = [ramp.admits(0.0) for _ in range(50)]
    assert admitted[0]
    assert sum(admitted) == 10
    assert sum(ramp.admits(2.0) for _ in range(50)) == 30
    assert all(ramp.admits(4.0) for _ in range(50))


def test_the_open_time_doubles_up_to_its_end() -> None:
    """5 s, 10 s and so on to 60 s, without chance in it."""
    open_time = OpenTime(5.0, 60.0, 0.0)
    assert [open_time.draw_s(0.9, 0.0) for _ in range(6)] == [5.0, 10.0, 20.0, 40.0, 60.0, 60.0]


def test_the_open_time_begins_anew_after_a_good_minute() -> None:
    """Not before: a partner that comes for seconds is not asked more and more often."""
    open_time = OpenTime(5.0, 60.0, 0.0)
    assert [open_time.draw_s(0.5, closed) for closed in (0.0, 59.0, 60.1)] == [5.0, 10.0, 5.0]


def test_the_open_time_is_spread_around_itself() -> None:
    """By the jitter's share of it, so that sidecars do not come together."""
    assert OpenTime(8.0, 60.0, 0.5).draw_s(0.0, 0.0) == 6.0
    assert OpenTime(8.0, 60.0, 0.5).draw_s(1.0, 0.0) == 10.0


def test_to_ask_a_ramp_what_it_would_say_counts_no_call() -> None:
    """It says it as often as it is asked, and then does it."""
    ramp = Ramp(0.2, 4.0, 0.0)
    said = []
    for _ in range(20):
        would = {ramp.would_admit(0.0) for _ in range(3)}
        said.append(ramp.admits(0.0))
        assert would == {said[-1]}
    assert sum(said) == 4
