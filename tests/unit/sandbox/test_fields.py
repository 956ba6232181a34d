"""Rules for reading fields of a request."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from proxy.sandbox import fields


@pytest.mark.parametrize("found", [None, 0, -1, 1.5, "100", True, 10**13])
def test_an_amount_is_a_positive_whole_number(found: object) -> None:
    """Anything else is refused by name, and the value is not repeated."""
    with pytest.raises(fields.FieldError) as refused:
        fields.amount({"amount": found})
    assert refused.value.param == "amount"
    assert "100" not in refused.value.message


@pytest.mark.parametrize(
    ("read", "param"),
    [
        (fields.currency, "currency"),
        (lambda body: fields.text(body, "reference"), "reference"),
        (fields.card, "card"),
    ],
)
@pytest.mark.parametrize("found", ["", "EURO4111111111111111" * 20, 12, ["x"]])
def test_a_wrong_field_is_named_and_never_repeated(
    read: Callable[[dict[str, Any]], Any], param: str, found: object
) -> None:
    """Messages carry the field's name and nothing of what was sent."""
    with pytest.raises(fields.FieldError) as refused:
        read({param: found})
    assert refused.value.param == param
    assert "4111" not in refused.value.message


def test_right_fields_are_returned_in_one_spelling() -> None:
    """Currencies come back in upper case, amounts may have a default."""
    assert fields.currency({"currency": "eur"}) == "EUR"
    assert fields.amount({}, 700) == 700
    assert fields.text({"reference": "r"}, "reference") == "r"
