"""The guards' cost is that of the layers in the stack, for calls that go well."""

from __future__ import annotations

import pytest

from loadtests.wire.guard_cost import BODY, guards_us, reading_us


@pytest.mark.parametrize("dimensions", [0, 1, 2])
def test_each_number_of_dimensions_has_its_figure(dimensions: int) -> None:
    """In microseconds, far from a millisecond."""
    assert guards_us(dimensions, 200, 2) < 1000.0


def test_a_body_of_the_usual_size_is_read() -> None:
    """With both values in it."""
    assert 200 <= len(BODY) <= 300
    assert 0.0 < reading_us(2, 100, 2) < 1000.0
