"""INC-18 and INC-26: their bars fall when what is said is wrong, late, or too much."""

from __future__ import annotations

from typing import Any

import pytest

from loadtests.incidents.inc_26 import Seen, as_said, bars, matching
from loadtests.incidents.inc_26_faults import EXPECTED, NAMES, Expected


def _verdict(each: Expected, **over: Any) -> dict[str, Any]:
    """What the sidecar would serve if it were right about a fault."""
    return {
        "partners": list(each.partners),
        "places": [{"slice": slice_} for slice_ in each.slices],
        "phase": each.phase,
        "origin": each.origin,
        **over,
    }


def _good() -> Seen:
    return Seen(named_after_s={each.fault: 3.0 for each in EXPECTED}, opened=8, calls=9000)


def _fallen(seen: Seen) -> list[str]:
    return [f"{bar.variant}: {bar.name}" for bar in bars(seen) if not bar.held]


def test_eight_faults_at_nine_partners_are_told_apart_by_what_must_be_said() -> None:
    """No two of them would pass for each other."""
    assert len(EXPECTED) == 8
    assert len(NAMES) == len(set(NAMES)) == 9
    assert all(matching(_verdict(each)) is each for each in EXPECTED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"origin": "application"},
        {"phase": "body"},
        {"partners": ["somebody"]},
        {"places": [{"slice": "somewhere"}]},
    ],
)
def test_a_verdict_that_is_wrong_in_one_thing_is_not_right(wrong: dict[str, Any]) -> None:
    """Partner, slice, phase and origin, each by itself."""
    assert all(matching(_verdict(each, **wrong)) is None for each in EXPECTED)


def test_the_order_of_partners_and_places_does_not_matter() -> None:
    """A verdict about two names them as it found them."""
    far = EXPECTED[-1]
    turned = _verdict(far, partners=list(far.partners[::-1]))
    turned["places"].reverse()
    assert matching(turned) is far
    assert as_said(turned)[0] == far.partners


def test_all_bars_hold_when_all_is_right() -> None:
    """So that each of the next falls alone."""
    assert _fallen(_good()) == []


@pytest.mark.parametrize(
    ("over", "fallen"),
    [
        ({"missing_at_end": ["slow"]}, "all: named right at the end"),
        ({"wrong_at_end": ["acme, partner"]}, "all: verdicts that are not right at the end"),
        ({"opened": 9}, "all: incidents open at the end"),
        ({"dup": 1}, "all: dup"),
        ({"lost": 1}, "all: lost"),
    ],
)
def test_each_wrong_falls_its_own_bar(over: dict[str, Any], fallen: str) -> None:
    """And no other."""
    seen = _good()
    for name, value in over.items():
        setattr(seen, name, value)
    assert _fallen(seen) == [fallen]


def test_a_fault_that_was_never_named_or_late_falls() -> None:
    """What could not be measured never holds."""
    seen = _good()
    del seen.named_after_s["slow"]
    seen.named_after_s["DNS dead"] = 21.0
    assert _fallen(seen) == ["DNS dead: named after", "slow: named after"]
