"""`proxy.guard.circuit`: half-open, and the way back."""

from __future__ import annotations

from itertools import pairwise

import pytest

from proxy.guard.permit import Permit, State
from proxy.guard.verdicts import Verdict
from tests.support.guarded import Guarded

GOOD = Verdict.SUCCESS
FAILED = Verdict.FAILURE
NOTHING = Verdict.NOTHING
OVERDUE = Verdict.OVERDUE
SLOW = Verdict.SLOW


def test_probes_are_a_hard_number() -> None:
    """The third is refused, and told how many are out."""
    house = Guarded()
    first = house.half_open()
    second = house.permit()
    assert first.probe
    assert second.probe
    refusal = house.refusal()
    assert (refusal.state, refusal.code) == (State.HALF_OPEN, "probing")
    assert "2 probes are out" in refusal.reason


@pytest.mark.parametrize("verdict", [NOTHING, OVERDUE])
def test_a_probe_without_a_verdict_frees_its_place(verdict: Verdict) -> None:
    """The state stays, however often it happens."""
    house = Guarded()
    probe = house.half_open()
    for _ in range(100):
        house.end(probe, verdict)
        assert house.state() is State.HALF_OPEN
        probe = house.permit()
        assert probe.probe


def test_three_successes_close_and_the_traffic_returns_in_a_ramp() -> None:
    """In the first second about a fifth of the calls, behind the ramp all of them."""
    house = Guarded()
    house.end(house.half_open(), GOOD)
    house.calls(1, SLOW, 0.0)
    assert house.state() is State.HALF_OPEN
    house.calls(1, GOOD, 0.0)
    assert house.state() is State.CLOSED
    shares = []
    for _ in range(5):
        admitted = 0
        for _ in range(50):
            asked = house.circuit.admit(house.clock.now())
            if isinstance(asked, Permit):
                admitted += 1
                house.end(asked, GOOD)
            else:
                assert asked.code == "ramping"
                assert "of the calls are let through" in asked.reason
            house.clock.advance(0.02)
        shares.append(admitted / 50)
    assert shares[0] < 0.4
    assert shares[-1] == 1.0
    assert all(a < b for a, b in pairwise(shares[:4]))


def test_a_probe_that_fails_opens_for_twice_as_long() -> None:
    """5 s, then 10 s, up to 60 s; the sentence keeps its first cause and does not grow."""
    house = Guarded()
    house.trip()
    waits = []
    for _ in range(6):
        waits.append(round(house.refusal().wait_s + house.clock.now() - house.changes[-1].since))
        house.clock.advance(house.refusal().wait_s)
        house.end(house.permit(), FAILED)
    assert waits == [5, 10, 20, 40, 60, 60]
    assert house.refusal().why == (
        "a probe ended as failure; 5 connection failures in a row in 4.0 s"
    )


def test_a_probe_that_hangs_cannot_hold_half_open() -> None:
    """After half a minute it has failed; its ending later is of another time."""
    house = Guarded()
    probe = house.half_open()
    house.clock.advance(30.1)
    assert house.refusal().state is State.OPEN
    assert house.changes[-1].why.startswith("1 probes hung")
    generation = house.circuit.standing(house.clock.now()).generation
    house.end(probe, GOOD, 30.2)
    assert house.circuit.standing(house.clock.now()).generation == generation


def test_half_open_waits_for_a_quiet_slice() -> None:
    """Nobody called for hours: the first call is a probe, not refused."""
    house = Guarded()
    house.end(house.half_open(), NOTHING)
    house.clock.advance(36_000.0)
    assert house.permit().probe


def test_calls_forced_through_can_close_it() -> None:
    """The last way out proves as much as a probe: three in a row, while it is open."""
    house = Guarded()
    house.trip()
    for verdict in (GOOD, GOOD, FAILED, GOOD, GOOD, GOOD):
        assert house.state() is State.OPEN
        permit = house.circuit.admit_anyway(house.clock.now())
        assert isinstance(permit, Permit)
        house.end(permit, verdict)
    assert house.state() is State.CLOSED
    assert house.changes[-1].why == "3 successes in a row"
