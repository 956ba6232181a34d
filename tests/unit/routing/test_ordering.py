"""Rules for the order of candidates: stable by key, in proportion, and without flapping."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.ordering import Condition, Ordering, OrderMode
from proxy.routing.ordering import by_weight, cost_s, reviewed, shares
from tests.support.values import candidate, route

ALL = tuple(candidate(name) for name in "abc")
WEIGHTS = {"a": 7, "b": 2}
KEYS = [b"key-%d" % number for number in range(4000)]


def firsts(weights: dict[str, int], names: str = "abc") -> Counter[str]:
    """How many keys go first to each."""
    candidates = tuple(each for each in ALL if each.upstream.name in names)
    return Counter(by_weight(candidates, weights, key)[0].upstream.name for key in KEYS)


def test_shares_are_as_the_weights() -> None:
    """One that is not named has 1; within chance."""
    found = firsts(WEIGHTS)
    assert abs(found["a"] - 2800) < 120
    assert abs(found["b"] - 800) < 100
    assert abs(found["c"] - 400) < 80


def test_a_key_always_has_the_same_order() -> None:
    """Whatever order the candidates come in; all of them stay."""
    for key in KEYS[:100]:
        order = by_weight(ALL, WEIGHTS, key)
        assert order == by_weight(ALL[::-1], WEIGHTS, key)
        assert sorted(each.upstream.name for each in order) == ["a", "b", "c"]


def test_taking_one_away_moves_its_own_keys_alone() -> None:
    """The others go where they went."""
    left = (ALL[0], ALL[2])
    for key in KEYS[:500]:
        before = by_weight(ALL, WEIGHTS, key)
        after = by_weight(left, WEIGHTS, key)
        assert after == tuple(each for each in before if each is not ALL[1])


def test_a_weight_of_nothing_is_the_last_resort() -> None:
    """Tried when the others have failed."""
    assert {by_weight(ALL, {"a": 0}, key)[2].upstream.name for key in KEYS[:200]} == {"a"}


def test_shares_as_they_are_told() -> None:
    """Of the file, also where nothing has any."""
    made = route(*ALL[:2], ordering=Ordering(OrderMode.WEIGHTED, {"a": 3}))
    assert shares(made) == {"a": 0.75, "b": 0.25}
    none = route(*ALL[:2], ordering=Ordering(OrderMode.WEIGHTED, {"a": 0, "b": 0}))
    assert shares(none) == {"a": 0.0, "b": 0.0}


@pytest.mark.parametrize(
    ("condition", "cost"),
    [
        (None, None),
        (Condition(4, 0.0, 0.1), None),
        (Condition(50, 0.0, None), None),
        (Condition(50, 0.0, 0.1), 0.1),
        (Condition(50, 0.05, 0.1), 0.6),
    ],
)
def test_what_a_call_costs(condition: Condition | None, cost: float | None) -> None:
    """Its time, and what fails for sure; of a few calls nothing is concluded."""
    assert cost_s(condition) == (None if cost is None else pytest.approx(cost))


@pytest.mark.parametrize(
    ("order", "costs", "after"),
    [
        ((0, 1), (0.2, 0.1), (1, 0)),
        ((0, 1), (0.2, 0.15), (0, 1)),
        ((1, 0), (0.12, 0.1), (1, 0)),
        ((1, 0), (0.1, 0.1), (0, 1)),
        ((1, 0), (None, 0.1), (1, 0)),
        ((0, 1), (0.2, None), (0, 1)),
        ((0, 1, 2), (0.9, 0.5, 0.1), (2, 1, 0)),
    ],
)
def test_who_passes_whom(
    order: tuple[int, ...], costs: tuple[float | None, ...], after: tuple[int, ...]
) -> None:
    """Ahead only if clearly cheaper, back as soon as no dearer; in between nothing moves."""
    assert reviewed(order, costs) == after


@given(st.permutations(range(4)), st.lists(st.floats(0.01, 10.0), min_size=4, max_size=4))
def test_the_same_figures_twice_change_nothing_more(order: list[int], costs: list[float]) -> None:
    """So it does not flap between two looks."""
    once = reviewed(order, costs)
    assert sorted(once) == [0, 1, 2, 3]
    assert reviewed(once, costs) == once
