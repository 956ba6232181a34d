"""`proxy.settings.dimensions`: what a dimension may be called, and where its value may stand."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from proxy.settings.dimensions import Dimension


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "Scheme"), ("name", "1st"), ("name", "a-b"), ("name", "x" * 33),
        ("pointer", "card/scheme"), ("header", "a b"), ("header", "Tidegate-X"),
        ("values", ["Visa"]), ("values", ["a b"]), ("values_max", "0"), ("values_max", "257"),
        ("ranges", {"visa": ["x"]}), ("ranges", {"visa": ["123456789"]}),
        ("ranges", {"visa": ["2720-2221"]}), ("ranges", {"visa": ["51-551"]}),
        ("ranges", {"Visa": ["4"]}), ("source", "x"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(key: str, value: Any) -> None:
    """Names and values as metrics take them; ranges of one length, in order."""
    with pytest.raises(ValidationError):
        Dimension.model_validate({"name": "scheme", key: value})


def test_what_is_usual_is_read() -> None:
    """With nothing but a name and a place."""
    read = Dimension.model_validate({"name": "scheme", "bin": "/card/number"})
    assert (read.values, read.values_max, read.ranges) == ((), 32, {})
    own = {"girocard": ["6726-6727", "68"]}
    ranged = Dimension.model_validate({"name": "scheme", "bin": "n", "ranges": own})
    assert ranged.ranges == {"girocard": ("6726-6727", "68")}
