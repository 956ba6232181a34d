"""Reports are short, ordered and suggest what was probably meant."""

from __future__ import annotations

import pytest

from proxy.settings.problems import Problem, SettingsError, nearest, suggest


def test_a_problem_is_two_lines() -> None:
    """Place and message, then the remedy; no line number where there is none."""
    assert Problem("a.b", 3, "is wrong", "fix it").render("f.yaml") == (
        "f.yaml:3: a.b: is wrong\n  remedy: fix it"
    )
    assert Problem("", None, "is gone", "find it").render("f.yaml") == (
        "f.yaml: is gone\n  remedy: find it"
    )


def test_a_problem_of_a_profile_has_its_own_file() -> None:
    """The configuration's problems come first."""
    found = [Problem("a", 1, "m", "r", file="p.yaml"), Problem("b", 9, "m", "r")]
    error = SettingsError("f.yaml", found)
    assert [each.path for each in error.problems] == ["b", "a"]
    assert str(error).splitlines()[2] == "p.yaml:1: a: m"


def test_a_report_follows_the_file() -> None:
    """By line, then column; what has no line comes first."""
    places = [(7, 2), (3, 9), (3, 1), (None, None)]
    found = [Problem("p", line, "m", "r", column) for line, column in places]
    ordered = SettingsError("f.yaml", found).problems
    assert [(each.line, each.column) for each in ordered] == [(None, None), (3, 1), (3, 9), (7, 2)]


@pytest.mark.parametrize(
    ("word", "meant"),
    [("deadlin", "deadline"), ("DEADLINE", "deadline"), ("timeout", "timeouts"), ("xyz", None)],
)
def test_the_nearest_word_is_offered(word: str, meant: str | None) -> None:
    """Typing errors and wrong case are recognised; anything else is not guessed."""
    assert nearest(word, ["deadline", "timeouts", "retry"]) == meant


def test_without_a_near_word_all_are_named() -> None:
    """In the given order; and nothing to choose from means that the word goes."""
    assert suggest("xyz", ["b", "a", "b"]) == "known here: b, a"
    assert suggest("xyz", []) == "remove it"
