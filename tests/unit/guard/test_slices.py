"""`proxy.guard.slices`: one slice, its name, and what it tells those that it refuses."""

from __future__ import annotations

from proxy.guard.permit import Refusal
from tests.unit.guard.sliced import GOOD, Sliced, of, sliced


def test_a_slice_is_named_in_words() -> None:
    """Where, what, and of what value."""
    house = Sliced(sliced())
    house.one(GOOD, "visa")
    assert house.at.name == "a · authorize"
    assert house.part("scheme=visa").name == "a · authorize · scheme=visa"


def test_a_refusal_says_which_value_is_refused() -> None:
    """And counts where it belongs."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(8.0, "visa")
    refusal = house.ask("visa")
    assert isinstance(refusal, Refusal)
    refused = house.at.refuser.refuse(refusal)
    assert "The breaker of authorize, scheme=visa, at a is open" in refused.detail
    assert house.part("scheme=visa").refused["breaker_open"] == 1
    assert house.at.refused["breaker_open"] == 0


def test_who_would_refuse_is_told_without_asking_for_a_permit() -> None:
    """By call: what is right for one scheme is not for another."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(8.0, "visa")
    now, visa = house.clock.now(), house.part("scheme=visa")
    assert house.at.refusing(of(house.taken, "visa"), now) is visa
    assert house.at.refusing(of(house.taken, "amex"), now) is None
    assert house.at.concerned(of(house.taken, "visa")) == (house.at, visa)
    assert house.at.concerned(of(house.taken, "amex")) == (house.at,)
