"""Rules for how affinity is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, problems_of

AT = "candidates: [north-a, north-b]"


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("payment: path:/psp/x", "does not say where the name stands"),
        ("payment: 'path:/psp/{name}/{name}'", "does not say where the name stands"),
        ("payment: 'path:/psp/x{name}'", "does not say where the name stands"),
        ("payment: 'path:psp/{name}'", "is not a path"),
        ("payment: pointer:id", "is not a JSON pointer"),
        ("payment: 'header:a b'", "is not a header name"),
        ("payment: 'query:'", "is not a field of a query"),
        ("payment: /id", "is no place of a request"),
        ("payment: cookie:id", "is no place of a request"),
        ("payment: pointer:/id, prefixes: {'p i': north}", "is not the beginning of a name"),
        ("payment: pointer:/id, prefixes: {pi_: north}, otherwise: last", "is not a word"),
        ("payment: pointer:/id, prefixes: {pi_: north}, group: '?'", "is not a name"),
    ],
)
def test_what_cannot_be_read_is_told(tmp_path: Path, written: str, words: str) -> None:
    """With its place and a remedy."""
    text = changed((AT, f"{AT}\n    affinity: {{follow: {{{written}}}}}"))
    problems = problems_of(tmp_path, text)
    assert any(words in each.message and each.remedy for each in problems)
    assert all(each.path.startswith("routes[0].affinity") for each in problems)
