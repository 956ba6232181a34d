"""`proxy.guard.narrowing`: which values explain that a slice is in trouble."""

from __future__ import annotations

import pytest

from proxy.guard.narrowing import CERTAINLY, rest_is_ordinary, suspects, suspicion, together

ORDINARY = 0.02


def test_suspects_are_worse_than_chance_allows() -> None:
    """Two bad calls are never enough, and one in fifty is ordinary."""
    counts = [(10, 10), (2, 2), (100, 2), (20, 6), (0, 0)]
    assert suspects(counts, ORDINARY) == [0, 3]
    assert suspicion((2, 2), ORDINARY) == 0.0
    assert suspicion((10, 10), ORDINARY) > suspicion((20, 10), ORDINARY)
    assert together([(10, 5), (1, 0)]) == (11, 5)


@pytest.mark.parametrize(
    ("whole", "part", "ordinary"),
    [
        ((11, 10), (10, 10), True),
        ((100, 40), (40, 40), True),
        ((100, 42), (40, 40), True),
        ((100, 30), (50, 15), False),
        ((10, 10), (10, 10), False),
        ((54, 15), (50, 15), False),
        ((57, 15), (50, 15), True),
        ((20, 20), (10, 10), False),
        ((50, 1), (10, 0), False),
        ((0, 0), (0, 0), False),
    ],
)
def test_the_rest_has_to_be_clearly_ordinary(
    whole: tuple[int, int], part: tuple[int, int], ordinary: bool
) -> None:
    """Not as bad as the part, and enough of it: one good call where all others fail."""
    assert rest_is_ordinary(whole, part, ORDINARY) is ordinary


def test_more_proof_may_be_asked_for() -> None:
    """Where it takes back what was found before."""
    assert not rest_is_ordinary((57, 15), (50, 15), ORDINARY, CERTAINLY)
    assert rest_is_ordinary((90, 15), (50, 15), ORDINARY, CERTAINLY)
