"""`proxy.guard.circuit`: what an operator says, and shadow mode."""

from __future__ import annotations

import pytest

from proxy.guard.permit import Refusal, State
from proxy.guard.verdicts import Verdict
from tests.support.guarded import Guarded

GOOD = Verdict.SUCCESS
FAILED = Verdict.FAILURE


def test_an_operator_isolates_and_releases() -> None:
    """Nothing passes, the last way out neither; the release lets traffic return in a ramp."""
    house = Guarded()
    in_flight = house.permit()
    house.circuit.isolate("maintenance", house.clock.now() + 600.0, house.clock.now())
    assert house.refusal().reason == "isolated: maintenance; 600 s are left"
    assert isinstance(house.circuit.admit_anyway(house.clock.now()), Refusal)
    house.end(in_flight, GOOD)
    assert house.circuit.standing(house.clock.now()).next_probe_at == house.clock.now() + 600.0
    house.circuit.release("done early", house.clock.now())
    standing = house.circuit.standing(house.clock.now())
    assert (standing.state, standing.why) == (State.CLOSED, "done early")
    assert standing.admitted_share == 0.2


@pytest.mark.parametrize("calls", [True, False])
def test_an_isolation_expires_into_half_open(calls: bool) -> None:
    """Nobody has to remember it; whether it is well again is found out by probes."""
    house = Guarded()
    house.circuit.isolate("maintenance", house.clock.now() + 600.0, house.clock.now())
    house.clock.advance(600.0)
    if calls:
        assert house.permit().probe
    assert house.circuit.standing(house.clock.now()).state is State.HALF_OPEN
    assert house.changes[-1].why == "isolated for 600.0 s; maintenance"


def test_shadow_mode_reports_and_never_refuses() -> None:
    """The states are those of a real one; each permit says what would have been said."""
    house = Guarded(shadow=True)
    house.trip()
    permit = house.permit()
    assert permit.would_refuse is not None
    assert permit.would_refuse.code == "open"
    house.end(permit, GOOD)
    house.clock.advance(10.0)
    probes = [house.permit() for _ in range(2)]
    assert [each.would_refuse for each in probes] == [None, None]
    third = house.permit()
    assert third.would_refuse is not None
    assert third.would_refuse.code == "probing"
    house.end(third, FAILED)
    assert house.state() is State.HALF_OPEN, "it was not one of the probes"


def test_shadow_mode_obeys_an_operator() -> None:
    """What somebody says on purpose is done."""
    house = Guarded(shadow=True)
    house.circuit.isolate("maintenance", house.clock.now() + 60.0, house.clock.now())
    assert house.refusal().code == "isolated"
