"""`proxy.guard.circuit`: what an ending changes."""

from __future__ import annotations

import random

import pytest

from proxy.guard.permit import Permit, Refusal, State
from proxy.guard.verdicts import Verdict
from tests.support.guarded import Guarded

GOOD = Verdict.SUCCESS
FAILED = Verdict.FAILURE
NOTHING = Verdict.NOTHING
OVERDUE = Verdict.OVERDUE
SLOW = Verdict.SLOW


def test_a_dead_partner_at_one_call_a_second_is_open_within_ten_seconds() -> None:
    """After a good minute; the reason says what was counted."""
    house = Guarded()
    house.calls(60, GOOD)
    begun_at = house.clock.now()
    while house.state() is not State.OPEN:
        house.calls(1, FAILED)
    assert house.clock.now() - begun_at <= 10.0
    refusal = house.refusal()
    assert refusal.code == "open"
    assert "7 of 7 calls failed in the last 7 s" in refusal.reason
    assert "the next probe is due in 4.0 s" in refusal.reason


def test_a_third_failing_at_five_calls_a_second_is_degraded_within_15_seconds() -> None:
    """Calls still flow: it is for failover to go elsewhere."""
    house, rng = Guarded(), random.Random(4)
    house.calls(300, GOOD, 0.2)
    begun_at = house.clock.now()
    while house.state() is State.CLOSED:
        house.calls(1, FAILED if rng.random() < 0.3 else GOOD, 0.2)
    assert house.state() is State.DEGRADED
    assert house.clock.now() - begun_at <= 15.0
    house.calls(5, GOOD, 0.2)


def test_degraded_ends_when_good_calls_prove_it() -> None:
    """Then the window begins anew, so that nothing old is found again."""
    house = Guarded()
    house.calls(100, GOOD, 0.2)
    while house.state() is State.CLOSED:
        house.calls(1, FAILED, 0.2)
        house.calls(2, GOOD, 0.2)
    house.calls(60, GOOD, 0.2)
    assert house.state() is State.CLOSED
    assert [each.state for each in house.changes] == [State.DEGRADED, State.CLOSED]
    assert house.circuit.standing(house.clock.now()).figures.failures == 0


def test_degraded_ends_when_nobody_calls_any_more() -> None:
    """What was known ten minutes ago is not known."""
    house = Guarded()
    while house.state() is State.CLOSED:
        house.calls(1, FAILED, 0.7)
        house.calls(1, GOOD, 0.7)
    house.clock.advance(605.0)
    assert house.circuit.standing(house.clock.now()).state is State.CLOSED
    assert house.changes[-1].why.startswith("no call for 60")


def test_own_side_endings_change_nothing() -> None:
    """A thousand cancelled calls, or refused by us: no count, no state."""
    house = Guarded()
    house.calls(1000, NOTHING, 0.01)
    assert house.circuit.standing(house.clock.now()).figures.calls == 0
    assert house.changes == []


@pytest.mark.parametrize("verdict", list(Verdict))
def test_results_of_an_earlier_generation_change_nothing(verdict: Verdict) -> None:
    """Payments take longer than a breaker stays open, so this happens every day."""
    house = Guarded()
    old = [house.permit() for _ in range(5)]
    house.end(house.half_open(), NOTHING)
    before = house.circuit.standing(house.clock.now())
    for permit in old:
        house.end(permit, verdict)
    assert house.circuit.standing(house.clock.now()) == before


def test_a_call_that_hangs_is_evidence_before_it_ends() -> None:
    """Nothing has ended, and the slice is degraded: calls beyond the slow limit count."""
    house = Guarded()
    house.calls(500, GOOD, 0.2)
    assert house.circuit.slow_s < 3.0
    hung = []
    while house.state() is State.CLOSED:
        hung.append(house.permit())
        house.clock.advance(0.2)
        assert len(hung) < 75, "15 s"
    assert "calls took over" in house.changes[-1].why
    for permit in hung:
        house.end(permit, OVERDUE, 9.0)
    slow = house.circuit.standing(house.clock.now()).figures.slow
    assert slow == len(hung), "each of them once"


def test_slow_answers_degrade_and_quick_ones_end_it() -> None:
    """A slow call is a success; it never opens."""
    house = Guarded()
    while house.state() is State.CLOSED:
        house.calls(1, SLOW, 0.5)
    assert house.state() is State.DEGRADED
    house.calls(200, SLOW, 0.2)
    assert house.state() is State.DEGRADED
    house.calls(30, GOOD, 0.2)
    assert house.state() is State.CLOSED


def test_what_it_would_say_is_what_it_says() -> None:
    """In every state, and asking changes nothing."""
    guarded = Guarded()
    clock, circuit = guarded.clock, guarded.circuit

    def agree() -> bool:
        would = circuit.would_refuse(clock.now())
        assert circuit.would_refuse(clock.now()) is would
        asked = circuit.admit(clock.now())
        assert isinstance(asked, Refusal) is would
        if isinstance(asked, Permit):
            asked.end(Verdict.SUCCESS, 0.1, clock.now())
        return would

    assert not agree()
    guarded.trip()
    assert agree()
    clock.advance(5.0)
    probes = [guarded.permit() for _ in range(2)]
    assert agree()
    for probe in probes:
        guarded.end(probe, Verdict.SUCCESS)
    assert not agree()
    assert {agree() for _ in range(10)} == {True, False}
    clock.advance(4.0)
    assert not agree()
    circuit.isolate("maintenance", clock.now() + 1.0, clock.now())
    assert agree()
    clock.advance(1.0)
    assert not agree()


def test_a_tally_is_what_the_window_holds() -> None:
    """Calls with a verdict, and failures."""
    guarded = Guarded()
    guarded.calls(3, Verdict.SUCCESS)
    guarded.calls(1, Verdict.FAILURE)
    guarded.calls(1, Verdict.NOTHING)
    assert guarded.circuit.tally(guarded.clock.now()) == (4, 1)
