"""`proxy.model.dimension`: ranges of card numbers, as they are written."""

from __future__ import annotations

import pytest

from proxy.model.dimension import span


@pytest.mark.parametrize(
    ("written", "first", "last"),
    [
        ("4", 40000000, 49999999),
        ("51-55", 51000000, 55999999),
        ("622126-622925", 62212600, 62292599),
        ("12345678", 12345678, 12345678),
    ],
)
def test_a_range_is_eight_digits_from_and_to(written: str, first: int, last: int) -> None:
    """A prefix is all that begins with it."""
    assert span(written) == (first, last)
