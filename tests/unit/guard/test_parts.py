"""`proxy.guard.parts`: which narrow slices there are, how many, and what being apart means."""

from __future__ import annotations

import tracemalloc

import pytest

from proxy.guard.guards import Guards
from proxy.guard.permit import Permit
from proxy.guard.verdicts import Verdict
from proxy.model.dimension import Dimension, Source
from tests.support.manual_clock import ManualClock
from tests.unit.guard.sliced import FAILED, GOOD, SCHEME, A, Sliced, of, sliced


def names(house: Sliced) -> list[str]:
    """Of all narrow slices."""
    assert house.at.family is not None
    return [each.part for each in house.at.family.parts.all()]


def test_a_slice_is_made_when_its_value_is_seen_first() -> None:
    """And is the same ever after."""
    house = Sliced(sliced())
    assert names(house) == []
    for value in ("visa", "amex", "visa"):
        assert house.one(GOOD, value)
    assert names(house) == ["scheme=visa", "scheme=amex"]
    assert house.part("scheme=visa").circuit.tally(house.clock.now()) == (2, 0)


def test_more_values_than_the_bound_are_other() -> None:
    """Three of its own, and none and other: five slices, whatever comes."""
    house = Sliced(sliced())
    for index in range(20):
        house.one(GOOD, f"value-{index}")
    house.one(GOOD, "other")
    assert len(names(house)) == SCHEME.values_max + 2
    assert house.part("scheme=other").circuit.tally(house.clock.now())[0] == 17


def test_what_one_had_shown_is_taken_out_of_the_whole() -> None:
    """The broad slice judges the rest."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(3.0, "visa")
    assert list(house.states()) == ["scheme=visa"]
    _, failures = house.at.circuit.tally(house.clock.now())
    assert failures == 0
    house.mixed(3.0, "visa")
    assert house.at.circuit.tally(house.clock.now())[1] == 0


def test_a_degraded_whole_is_well_again_once_one_scheme_explains_it() -> None:
    """Then the others go where they went before."""
    house = Sliced(sliced())
    house.mixed(60.0)
    for index in range(36):  # too little of the rest to tell it from Visa
        house.one(FAILED if index % 4 == 0 else GOOD, "visa")
        house.clock.advance(0.4)
    assert house.states() == {"all": "degraded"}
    house.mixed(40.0, "visa")
    assert list(house.states()) == ["scheme=visa"]
    assert any("it is scheme=visa" in each.reason for each in house.told)


@pytest.mark.no_cover  # volume
def test_a_thousand_slices_take_less_than_twenty_megabytes() -> None:
    """Each with a minute's window and a baseline, filled with calls that took all sorts of time."""
    clock = ManualClock()
    dimension = Dimension("scheme", Source.POINTER, "/scheme", values_max=1000)
    taken = sliced(A, dimensions=(dimension,))
    tracemalloc.start()
    try:
        made = Guards([taken], clock.now, lambda _: None)
        at = made.slices()[0]
        for turn in range(12):
            for index in range(1000):
                permit = at.admit(of(taken, f"value-{index}"), clock.now())
                assert isinstance(permit, Permit)
                said = Verdict.SUCCESS if (turn + index) % 50 else Verdict.FAILURE
                permit.end(said, 0.001 * (1 + turn * index % 997), clock.now())
            clock.advance(7.0)
        taken_bytes, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(made.slices()) == 1001
    assert taken_bytes < 20_000_000
