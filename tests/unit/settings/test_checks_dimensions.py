"""`proxy.settings.checks_dimensions`: dimensions that contradict themselves or each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

REST = "    match: {path: /}\n"
SCHEME = "{name: scheme, pointer: /scheme}"


def _problems(folder: Path, *dimensions: str) -> list[tuple[str, str]]:
    own = f"{REST}    dimensions: [{', '.join(dimensions)}]\n"
    found = problems_of(folder, changed((REST, own)))
    return [(each.path.removeprefix("routes[1].dimensions"), each.remedy) for each in found]


def test_two_dimensions_are_fine(tmp_path: Path) -> None:
    """No problem, and no warning."""
    own = f"{REST}    dimensions: [{SCHEME}, {{name: method, header: X-Method}}]\n"
    assert (
        load_text(tmp_path, changed((REST, own))).warnings
        == load_text(tmp_path, changed()).warnings
    )


@pytest.mark.parametrize(
    ("dimensions", "place", "remedy"),
    [
        ([SCHEME, "{name: a, form: a}", "{name: b, form: b}"], "", "keep the two"),
        ([SCHEME, SCHEME], "[1].name", "a name of its own"),
        (["{name: scheme}"], "[0]", "add one of pointer, form, header, bin"),
        (["{name: scheme, pointer: /a, form: b}"], "[0].form", "keep one of the two"),
        (["{name: scheme, form: a, ranges: {own: ['4']}}"], "[0].ranges", "read the dimension"),
        (["{name: scheme, form: a, values: [visa, other]}"], "[0].values[1]", "kept apart anyway"),
        (["{name: s, form: a, values: [a, b], values_max: 1}"], "[0].values", "raise values_max"),
        (["{name: s, bin: /n, ranges: {a: ['4'], b: ['41']}}"], "[0].ranges.b[0]", "be in one"),
        (["{name: s, header: X-Api-Key}"], "[0].header", "logs and metrics"),
    ],
    ids=["three", "one name twice", "no place", "two places", "ranges without bin", "own value",
         "too many values", "overlapping ranges", "a credential"],
)  # fmt: skip
def test_each_mistake_is_placed_and_has_a_remedy(
    tmp_path: Path, dimensions: list[str], place: str, remedy: str
) -> None:
    """And nothing else is reported."""
    [(path, said)] = _problems(tmp_path, *dimensions)
    assert path == place
    assert remedy in said
