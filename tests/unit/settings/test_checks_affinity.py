"""Rules for affinity across a file: what is looked up is remembered, and can be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

AT = "candidates: [north-a, north-b]"
JOURNAL = ("partners:\n", "journal: {path: j.db}\npartners:\n")
KEYED = "idempotency: {key: required}\n    "
PREFIXES = "payment: pointer:/id, prefixes: "


def _text(affinity: str, *, keys: str = KEYED, journal: bool = True) -> str:
    written = f"{AT}\n    {keys}affinity: {affinity}"
    return changed((AT, written), *([JOURNAL] if journal else []))


@pytest.mark.parametrize(
    ("affinity", "place", "words"),
    [
        ("{}", "", "says nothing"),
        ("{remember: {group: x}}", ".remember", "names nothing"),
        ("{follow: {group: x}}", ".follow", "does not say where a call names"),
        ("{follow: {payment: pointer:/id}}", ".follow.payment", "no route remembers it"),
        (
            "{remember: {reference: /order}, follow: {payment: pointer:/id}}",
            ".follow.payment", "no route remembers it",
        ),
        (
            "{remember: {payment: /id}, follow: {group: x, payment: pointer:/id}}",
            ".follow.payment", "looked up in a group where",
        ),
        (f"{{follow: {{{PREFIXES}{{x: nort}}}}}}", ".follow.prefixes.x", "is no partner"),
        (f"{{follow: {{{PREFIXES}{{x: south}}}}}}", ".follow.prefixes.x", "of no candidate"),
        ("{remember: {reference: /r}, follow: {reference: pointer:/r, prefixes: {x: north}}}",
         ".follow.prefixes", "nothing to compare with"),
        ("{remember: {payment: /id}, follow: {payment: 'path:/other/{name}'}}",
         ".follow.payment", "is no path that this route takes"),
        ("{remember: {payment: /id}, follow: {payment: 'path:/{name}/psp'}}",
         ".follow.payment", "is no path that this route takes"),
    ],
)  # fmt: skip
def test_mistakes(tmp_path: Path, affinity: str, place: str, words: str) -> None:
    """Each with its place."""
    (problem,) = problems_of(tmp_path, _text(affinity))
    assert problem.path == f"routes[0].affinity{place}"
    assert words in problem.message


def test_without_a_journal_nothing_is_remembered_or_found(tmp_path: Path) -> None:
    """But a name's beginning can be read without one."""
    both = "{remember: {payment: /id}, follow: {payment: pointer:/id}}"
    problems = problems_of(tmp_path, _text(both, journal=False, keys=""))
    assert [each.path for each in problems] == [
        "routes[0].affinity.remember", "routes[0].affinity.follow.payment",
    ]  # fmt: skip
    assert all("needs a journal" in each.message for each in problems)
    by_beginning = f"{{follow: {{{PREFIXES}{{pi_: north}}}}}}"
    load_text(tmp_path, _text(by_beginning, journal=False, keys=""))


def test_calls_that_are_in_no_journal_are_not_remembered(tmp_path: Path) -> None:
    """A mistake where that is so for all, a warning where it is so for some."""
    remember = "{remember: {payment: /id}}"
    (problem,) = problems_of(tmp_path, _text(remember, keys='idempotency: {key: "off"}\n    '))
    assert "calls of this route are in no journal" in problem.message
    loaded = load_text(tmp_path, _text(remember, keys=""))
    assert [each.path for each in loaded.warnings] == ["routes[0].affinity.remember"]
    assert load_text(tmp_path, _text(remember)).warnings == []


def test_what_follows_its_payment_may_have_candidates_of_several_partners(tmp_path: Path) -> None:
    """Without that, a capture there is a warning."""
    several = (
        "operation: authorize\n    " + AT,
        "operation: capture\n    candidates: [north-a, north-b, south-a]",
    )
    warned = load_text(tmp_path, changed(several)).warnings
    assert any("did not authorise" in each.message for each in warned)
    follow = f"\n    affinity: {{follow: {{{PREFIXES}{{n: north, s: south}}}}}}"
    assert load_text(tmp_path, changed((several[0], several[1] + follow))).warnings == []
