"""Rules for the order of candidates across a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.ordering import Ordering, OrderMode
from proxy.settings.build import build
from tests.unit.settings.example import changed, load_text, problems_of

AT = "candidates: [north-a, north-b]"


def _text(order: str) -> str:
    return changed((AT, f"{AT}\n    {order}"))


def test_order_and_weights_are_built(tmp_path: Path) -> None:
    """As they are written; the file's order without a word."""
    text = _text("order: weighted\n    weights: {north-a: 9}")
    charges, rest = build(load_text(tmp_path, text).settings).routes
    assert charges.ordering == Ordering(OrderMode.WEIGHTED, {"north-a": 9})
    assert rest.ordering == Ordering()


@pytest.mark.parametrize(
    ("order", "place", "words"),
    [
        ("weights: {north-a: 9}", "weights", "have no effect"),
        ("order: weighted\n    weights: {north-c: 9}", "weights.north-c", "is no candidate"),
        ("order: weighted\n    weights: {north-a: 0, north-b: 0}", "weights", "are all 0"),
        ("order: weighted\n    weights: {north-a: -1}", "weights.north-a", "out of range"),
        ("order: weighed", "order", "not a word known here"),
    ],
)
def test_mistakes(tmp_path: Path, order: str, place: str, words: str) -> None:
    """Each with its place."""
    (problem,) = problems_of(tmp_path, _text(order))
    assert problem.path == f"routes[0].{place}"
    assert words in problem.message


def test_an_order_without_a_choice_is_a_warning(tmp_path: Path) -> None:
    """There is one candidate."""
    text = changed(("candidates: [south-a]", "candidates: [south-a]\n    order: weighted"))
    assert [each.path for each in load_text(tmp_path, text).warnings] == ["routes[1].order"]


def test_health_that_nobody_watches_is_a_warning(tmp_path: Path) -> None:
    """A breaker that only reports is enough."""
    off = (
        "url: https://b.north.example",
        "url: https://b.north.example\n        breaker: {mode: off}",
    )
    text = changed((AT, f"{AT}\n    order: healthiest"), off)
    warned = load_text(tmp_path, text).warnings
    assert [each.path for each in warned] == ["routes[0].candidates[1]"]
    shadow = text.replace("mode: off", "mode: shadow")
    assert load_text(tmp_path, shadow).warnings == []
