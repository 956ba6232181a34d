"""A secret shows itself only to who asks for it by name."""

from __future__ import annotations

import copy
import pickle

import pytest

from proxy.settings.secret import Referenced, Secret

TEXT = "sk_live_canary"


@pytest.mark.parametrize("value", [Secret(TEXT), [Secret(TEXT)], {"key": Secret(TEXT)}])
def test_no_way_of_printing_shows_it(value: object) -> None:
    """Alone and within containers, by every way of making text."""
    for shown in (str(value), repr(value), f"{value}", f"{value!r:>60}"):
        assert TEXT not in shown
        assert "***" in shown


def test_it_is_revealed_on_demand() -> None:
    """`reveal` is the one way out."""
    assert Secret(TEXT).reveal() == TEXT


def test_equality_is_by_text() -> None:
    """Two of the same text are equal and hash alike; a plain text is never equal."""
    assert Secret(TEXT) == Secret(TEXT)
    assert hash(Secret(TEXT)) == hash(Secret(TEXT))
    assert Secret(TEXT) != Secret("other")
    assert Secret(TEXT) != TEXT


def test_it_does_not_travel() -> None:
    """Pickles and copies made through them would carry it to places nobody masks."""
    for carry in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="not pickled"):
            carry(Secret(TEXT))


def test_referenced_text_is_text_with_a_masked_repr() -> None:
    """It works as a string and prints as a mask."""
    assert Referenced(TEXT) == TEXT
    assert repr([Referenced(TEXT)]) == "[***]"
