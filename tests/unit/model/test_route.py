"""Rules for what a key's claim has to know of all candidates together."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.route import OwnKeys
from proxy.model.settling import Inquiry, SettleRule
from tests.support.values import candidate, route

INQUIRY = Inquiry("/reference", "/payments/{reference}", "/id", frozenset(), frozenset({404}), 3.0)
ASKED = SettleRule(INQUIRY)
AFTER_ABSENCE = SettleRule(INQUIRY, resend_when_absent=True)


def test_a_key_fits_each_partner() -> None:
    """Whichever of them the call goes to; without candidates, one that fits most."""
    made = route(
        candidate("a", own_keys=OwnKeys(length_max=40)),
        candidate("b", own_keys=OwnKeys(length_max=36)),
    )
    assert made.keyed.length_max == 36
    assert replace(made, candidates=()).keyed.length_max == 64


def test_each_upstream_has_its_own_window() -> None:
    """Partners do not share keys between their endpoints."""
    made = route(candidate("a", own_keys=OwnKeys(resend_s=60.0)), candidate("b"))
    assert made.keyed.resend_s == {"a": 60.0, "b": 0.0}


def test_references_are_those_of_the_candidates_that_can_be_asked() -> None:
    """Each once; several only where candidates disagree."""
    other = SettleRule(replace(INQUIRY, reference="/other"))
    alike = route(candidate("a", settle=ASKED), candidate("b"), candidate("c", settle=ASKED))
    assert alike.keyed.references == ("/reference",)
    several = route(candidate("a", settle=ASKED), candidate("b", settle=other))
    assert several.keyed.references == ("/other", "/reference")


def test_who_has_to_be_asked_first() -> None:
    """Before a repetition is safe there."""
    made = route(candidate("a", settle=AFTER_ABSENCE), candidate("b", settle=ASKED))
    assert made.keyed.after_absence == {"a"}


def test_what_is_derived_makes_no_difference_between_routes() -> None:
    """Two that read alike are alike."""
    assert route(candidate("a")) == route(candidate("a"))
