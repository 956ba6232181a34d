"""`proxy.guard.awaited`: a check before a probe, and how long a probe waits for one."""

from __future__ import annotations

import pytest

from proxy.guard.awaited import LEAD_S, Awaited
from proxy.guard.permit import State
from proxy.guard.policy import Checks, Policy
from proxy.guard.verdicts import Verdict
from tests.support.guarded import Guarded

ALWAYS = Policy(checks=Checks.ALWAYS)


def waiting(policy: Policy = ALWAYS, unreachable: bool = True) -> Awaited:
    """Opened at 0, the next probe due at 5."""
    made = Awaited(policy)
    made.opened(5.0, unreachable)
    return made


def test_a_check_is_wanted_shortly_before_the_probe_is_due() -> None:
    """Then the probe is not late by what the check takes."""
    made = waiting()
    assert [made.wanted(at) for at in (0.0, 5.0 - LEAD_S - 0.1, 5.0 - LEAD_S, 5.0)] == [
        False, False, True, True,
    ]  # fmt: skip
    made.passed()
    assert (made.wanted(5.0), made.holds(5.0)) == (False, False)


@pytest.mark.parametrize(
    ("checks", "unreachable", "holds"),
    [
        (Checks.NEVER, True, False), (Checks.UNREACHABLE, True, True),
        (Checks.UNREACHABLE, False, False), (Checks.ALWAYS, False, True),
    ],
)  # fmt: skip
def test_a_check_that_connects_tells_of_connections_alone(
    checks: Checks, unreachable: bool, holds: bool
) -> None:
    """Where answers were bad, only a check that asks something can tell."""
    assert waiting(Policy(checks=checks), unreachable).holds(5.0) is holds


def test_nobody_who_checks_holds_nothing() -> None:
    """After a while the probe goes without."""
    made = waiting()
    late_at = 5.0 + ALWAYS.check_wait_s
    assert (made.holds(late_at - 0.1), made.holds(late_at)) == (True, False)


def test_a_check_that_goes_on_failing_does_not_hold_for_ever() -> None:
    """It is counted from the first failure, over any number of open times."""
    made = waiting()
    made.failed(5.0)
    made.opened(600.0, None)
    made.failed(600.0)
    over_at = 5.0 + ALWAYS.check_hold_max_s
    assert (made.holds(over_at - 0.1), made.holds(over_at)) == (True, False)
    made.over()
    made.opened(700.0, True)
    assert made.holds(700.0)


def test_a_call_goes_only_after_the_check() -> None:
    """A refusal says what it waits for; the order of candidates knows it too."""
    house = Guarded(checks=Checks.ALWAYS)
    house.trip()
    house.clock.advance(house.policy.open_s)
    now = house.clock.now()
    assert house.refusal().reason.endswith("a check is to pass before the next probe")
    assert house.circuit.would_refuse(now)
    assert house.circuit.standing(now).awaits_check
    house.circuit.checked(None, now)
    assert not house.circuit.would_refuse(now)
    assert house.permit().probe


def test_a_failed_check_costs_no_call_and_the_open_time_doubles() -> None:
    """What it was is said, before what had opened the circuit."""
    house = Guarded(checks=Checks.ALWAYS)
    house.trip()
    house.clock.advance(house.policy.open_s)
    now = house.clock.now()
    house.circuit.checked("connect refused", now)
    standing = house.circuit.standing(now)
    assert standing.state is State.OPEN
    assert standing.why.startswith("a check failed: connect refused; 5 connection failures")
    assert standing.next_probe_at == now + 2 * house.policy.open_s


def test_what_nobody_waits_for_changes_nothing() -> None:
    """A check never opens a circuit whose calls are well, nor one that is open too early."""
    house = Guarded(checks=Checks.ALWAYS)
    house.circuit.checked("connect refused", house.clock.now())
    assert house.state() is State.CLOSED
    house.trip()
    before = house.circuit.standing(house.clock.now())
    house.circuit.checked("connect refused", before.since + 1.0)
    house.circuit.checked(None, before.since + 1.0)
    assert house.circuit.standing(house.clock.now()).generation == before.generation
    house.clock.advance(house.policy.open_s)
    assert house.refusal().code == "open"


def test_bad_answers_are_no_matter_of_connections() -> None:
    """A circuit that failures opened lets its probe go, where the check only connects."""
    house = Guarded(checks=Checks.UNREACHABLE)
    house.calls(7, Verdict.FAILURE)
    assert house.state() is State.OPEN
    house.clock.advance(house.policy.open_max_s)
    probe = house.permit()
    assert probe.probe
    house.end(probe, Verdict.UNREACHABLE)
    house.clock.advance(2 * house.policy.open_s)
    assert house.circuit.standing(house.clock.now()).awaits_check
