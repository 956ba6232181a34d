"""`proxy.health.window`: rings of seconds, when trouble opens, since when, and when it is over."""

from __future__ import annotations

import random
import sys

import pytest

from proxy.health.symptom import Kind, Symptom
from proxy.health.window import QUIET_S, SPAN_S, Ring, Trouble, significant

_BAD = Symptom("connect", Kind.FAILED, "refused", "partner")


class _Slice:
    """Calls of a slice, a second apart or less."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.calls = Ring(1000)
        self.trouble = Trouble("connect", Kind.FAILED, self.now)

    def call(self, *, bad: bool) -> None:
        self.calls.add(int(self.now))
        self.trouble.calls += self.trouble.open
        if bad:
            self.trouble.note(_BAD, self.now, fresh=True)
        else:
            self.trouble.other(good=True)

    def second(self, good: int, bad: int, *, held: bool = False) -> None:
        for number in range(good + bad):
            self.call(bad=number < bad)
        self.trouble.look(self.calls, self.now, self.now, held=held)
        self.now += 1.0


def test_a_ring_forgets_what_is_older_than_a_minute() -> None:
    """Also over a pause that is longer than the ring."""
    ring = Ring(10)
    ring.add(10)
    ring.add(40)
    assert ring.total(40) == 2
    assert ring.total(10 + SPAN_S) == 1
    ring.add(5000)
    assert ring.total(5000) == 1


def test_three_bad_calls_beyond_a_blip_open_and_tell_since_when() -> None:
    """The instant of the first of them, after a healthy minute."""
    at = _Slice()
    for _ in range(60):
        at.second(2, 0)
    began = at.now
    while not at.trouble.open:
        at.second(0, 2)
        assert at.now - began < 8.0
    assert at.trouble.since == began
    assert at.trouble.bad == at.trouble.calls


@pytest.mark.parametrize("per_s", [1, 5, 50])
def test_a_blip_opens_nothing_at_any_rate(per_s: int) -> None:
    """Two seconds in which all fails."""
    at = _Slice()
    for second in range(120):
        bad = per_s if second in (60, 61) else 0
        at.second(per_s - bad, bad)
        assert not at.trouble.open


def test_a_third_failing_is_found_in_seconds_and_half_a_percent_never() -> None:
    """By chance from a seed, at five calls a second."""
    rng = random.Random(3)
    at = _Slice()
    for _ in range(3000):
        bad = sum(rng.random() < 0.005 for _ in range(5))
        at.second(5 - bad, bad)
        assert not at.trouble.open
    began = at.now
    while not at.trouble.open:
        bad = sum(rng.random() < 0.3 for _ in range(5))
        at.second(5 - bad, bad)
    assert at.now - began <= 15.0


def test_it_is_over_when_failures_would_have_shown() -> None:
    """Five good calls where all failed, and ten seconds; not as soon as one succeeds."""
    at = _Slice()
    for _ in range(10):
        at.second(0, 2)
    assert at.trouble.open
    at.second(1, 0)
    assert at.trouble.open
    for _ in range(12):
        at.second(1, 0)
    assert not at.trouble.open


def test_quiet_ends_it_only_where_no_breaker_keeps_calls_away() -> None:
    """After ten minutes nothing is known any more."""
    for held in (True, False):
        at = _Slice()
        for _ in range(10):
            at.second(0, 2)
        called_at = at.now
        at.now += QUIET_S + 1.0
        at.trouble.look(at.calls, called_at, at.now, held=held)
        assert at.trouble.open is held


def test_slow_and_rejected_need_more_than_failures_do() -> None:
    """A tenth of slow answers is ordinary, and a third of refused requests may be."""
    bad, calls = [1] * 60, [10] * 60
    assert significant(Kind.FAILED, bad, calls) is not None
    assert significant(Kind.SLOW, bad, calls) is None
    assert significant(Kind.REJECTED, [4] * 60, calls) is None
    assert significant(Kind.REJECTED, [9] * 60, calls) is not None


@pytest.mark.no_cover  # volume
def test_memory_does_not_grow_with_calls() -> None:
    """A ring is as large after a day as after a second; reasons are bounded."""
    at = _Slice()
    before = sys.getsizeof(at.calls._counts)
    for number in range(5000):
        at.trouble.note(
            Symptom("connect", Kind.FAILED, f"reason_{number}", "partner"), at.now, fresh=True
        )
        at.second(1, 1)
    assert sys.getsizeof(at.calls._counts) == before
    assert len(at.trouble.reasons) <= 17
