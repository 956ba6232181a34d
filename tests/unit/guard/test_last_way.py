"""`proxy.guard.last_way`: throttled, never closed."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.guard.last_way import Chance, LastWay, best, refused_share
from proxy.guard.permit import State

OPEN, ISOLATED = State.OPEN, State.ISOLATED


@pytest.mark.parametrize(
    ("calls", "successes", "refused"),
    [
        (0, 0, 0.0),
        (1, 0, 0.5),
        (3, 0, 0.75),
        (100, 0, 0.8),
        (100, 95, 0.0),
        (100, 100, 0.0),
        (99, 47.5, 0.49),
    ],
)
def test_the_share_is_that_of_envoy(calls: float, successes: float, refused: float) -> None:
    """(n - s / 0.95) / (n + 1), not under 0 and not over 80 %."""
    assert refused_share(calls, successes) == pytest.approx(refused)


@pytest.mark.parametrize(
    ("candidates", "expected"),
    [
        ([], None),
        ([Chance(ISOLATED, 10, 0)], None),
        ([Chance(OPEN, 10, 10)], 0),
        ([Chance(OPEN, 10, 8), Chance(OPEN, 10, 5)], 1),
        ([Chance(OPEN, 10, 5), Chance(OPEN, 10, 5)], 0),
        ([Chance(OPEN, 10, 10), Chance(State.HALF_OPEN, 0, 0)], 1),
        ([Chance(ISOLATED, 10, 0), Chance(OPEN, 10, 10)], 1),
        ([Chance(OPEN, 20, 20), Chance(OPEN, 10, 10)], 1),
    ],
)
def test_the_best_candidate_is_the_last_way(candidates: list[Chance], expected: int | None) -> None:
    """The likeliest to succeed, the first among equals, never one that an operator took out."""
    assert best(candidates) == expected


def test_dead_candidates_take_turns() -> None:
    """Each failure makes way for the other one, so the one that comes back is noticed."""
    failures = [5, 9]
    tried = []
    for _ in range(12):
        index = best([Chance(OPEN, count, count) for count in failures])
        assert index is not None
        tried.append(index)
        failures[index] += 1
    assert tried == [0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1]


@given(
    st.lists(st.tuples(st.floats(0.0, 3.0), st.booleans(), st.booleans()), max_size=300),
    st.integers(0, 400),
)
def test_of_five_calls_one_goes(steps: list[tuple[float, bool, bool]], burst: int) -> None:
    """Whatever ended before, in whatever order, and however fast calls come."""
    now, way = 50.0, LastWay(50.0)
    refused_in_row = 0
    for pause_s, ends, success in [*steps, *[(0.0, True, False)] * burst]:
        now += pause_s
        refused_in_row = 0 if way.admits(now) else refused_in_row + 1
        assert refused_in_row < 5
        if ends:
            way.ended(success, now)


def _run(rate: float, seconds_bad: float, seconds_good: float) -> tuple[float, list[float]]:
    """The share let through while all fails, and each second's share afterwards."""
    way = LastWay(0.0)
    admitted: list[tuple[float, bool]] = []
    for index in range(int(rate * (seconds_bad + seconds_good))):
        now = index / rate
        goes = way.admits(now)
        admitted.append((now, goes))
        if goes:
            way.ended(now >= seconds_bad, now)
    bad = [goes for now, goes in admitted if 10.0 < now < seconds_bad]
    after = [
        [goes for now, goes in admitted if second <= now - seconds_bad < second + 1]
        for second in range(int(seconds_good))
    ]
    return sum(bad) / len(bad), [sum(each) / len(each) for each in after]


@pytest.mark.parametrize(
    ("rate", "least", "most"), [(5, 0.2, 0.5), (50, 0.2, 0.25), (500, 0.2, 0.21)]
)
def test_a_fifth_is_tried_while_everything_fails(rate: float, least: float, most: float) -> None:
    """On a busy route hardly more than that; on a quiet one the throttle hardly bites."""
    share, _ = _run(rate, 60.0, 1.0)
    assert least - 0.001 <= share <= most


@pytest.mark.parametrize("rate", [1, 5, 50, 500])
def test_full_traffic_within_five_seconds_of_the_first_success(rate: float) -> None:
    """From the sixth second on every call goes."""
    _, after = _run(rate, 60.0, 12.0)
    assert min(after[5:]) == 1.0


def test_what_is_shown_is_what_is_done() -> None:
    """The share for people is the one that calls are let through by."""
    way, rng = LastWay(0.0), random.Random(1)
    for index in range(2000):
        now = index / 100
        if way.admits(now):
            way.ended(rng.random() < 0.5, now)
    share = way.admitted_share(20.0)
    admitted = sum(way.admits(20.0) for _ in range(1000))
    assert admitted == pytest.approx(1000 * share, abs=2)
