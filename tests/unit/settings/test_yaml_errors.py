"""Syntax errors are told in our words, at the place that must be changed."""

from __future__ import annotations

import pytest
import yaml

from proxy.settings.problems import Problem
from proxy.settings.yaml_errors import syntax_problem


def _problem(text: str) -> Problem:
    with pytest.raises(yaml.YAMLError) as caught:
        list(yaml.parse(text, Loader=yaml.CSafeLoader))
    return syntax_problem(caught.value, text)


@pytest.mark.parametrize(
    ("text", "place", "message", "remedy"),
    [
        ("a:\n\tb: 1", (2, 1), "a tab stands in the indentation", "indent with spaces"),
        ("a:\n  b: 1\n\tc: 2", (3, 1), "a tab stands in the indentation", "indent with spaces"),
        ("a: @x", (1, 4), "a character of YAML's own", "in quotes"),
        ("a: b: c", (1, 5), "a ':' stands where no key can be", "in quotes"),
        ("a: 1\n  b: 2", (2, 4), "a ':' stands where no key can be", "in quotes"),
        ("a: - b", (1, 4), "a '-' stands where no list can be", "align"),
        ("a: 1\nb: 'x\nc: 1\n", (2, 4), "a quotation never ends", "close the quotation"),
        ('a: "\\q"', (1, 5), "an unknown escape", "single quotes"),
        ("a: 1\nb\nc: 1", (2, 1), "a key has no ':'", "write key: value"),
        ("a: [1,\nb: 2\n", (1, 4), "a bracket is not closed", "close the bracket"),
        ("a: {b: 1", (1, 4), "a bracket is not closed", "close the bracket"),
        ("a: [x, ${KEY}]", (1, 4), "a bracket is not closed", 'write "${...}" in quotes'),
        ("a:\n    b: 1\n  c: 2", (3, 3), "does not fit the indentation", "align"),
        ("- a\nb: 1", (2, 1), "does not fit the list", "align"),
        ("a: 1\n...\nb: 1", (3, 1), "text follows the end", "remove one"),
        ("a: ]", (1, 4), "a value can't begin like this", "in quotes"),
        ("a: !e!x y", (1, 4), "broken YAML", "check quotes, brackets"),
    ],
)
def test_an_error_has_place_meaning_and_remedy(
    text: str, place: tuple[int, int], message: str, remedy: str
) -> None:
    """For what never ends, the place is where it begins."""
    found = _problem(text)
    assert (found.line, found.column) == place
    assert message in found.message
    assert f"(column {place[1]})" in found.message
    assert remedy in found.remedy


@pytest.mark.parametrize("text", ["a: *canary-\n b", "a: !canary!x y", "%canary x\n---\na: 1\nb"])
def test_an_error_does_not_repeat_the_text(text: str) -> None:
    """PyYAML's own message may; the text may be a credential."""
    found = _problem(text)
    assert "canary" not in found.message + found.remedy


def test_an_error_without_a_place_is_still_told() -> None:
    """Not every YAML error has a mark."""
    found = syntax_problem(yaml.YAMLError(), "")
    assert (found.line, found.message) == (None, "broken YAML")
