"""One mistake never hides another: what is wrong is set aside, and the rest is still read."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.settings.problems import Problem
from proxy.settings.reader import read_tree
from proxy.settings.schema import Settings
from proxy.settings.tree import Node
from proxy.settings.validate import expand_references, validate
from tests.unit.settings.example import BASE, changed

HERE = Path()


def _validated(text: str) -> tuple[Settings, list[Problem]]:
    root, problems = read_tree(text.encode())
    assert root is not None
    assert problems == []
    return validate(root, HERE)


def _tree(text: str) -> Node:
    root, _ = read_tree(text.encode())
    assert root is not None
    return root


def test_a_wrong_value_leaves_the_default_in_its_place() -> None:
    """So that checks of other keys have something to work with."""
    settings, problems = _validated(changed(("connections_max: 64", "connections_max: x")))
    assert settings.listen.connections_max == 1024
    assert [problem.path for problem in problems] == ["listen.connections_max"]


def test_a_wrong_required_value_is_one_problem() -> None:
    """It is not also missing; an example stands in."""
    settings, problems = _validated(changed(("url: https://south.example", "url: x")))
    assert [problem.message for problem in problems] == ["is not a URL"]
    assert settings.partners["south"].upstreams["south-a"].url.host == "api.example.com"


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("a: 1\n", ["version", "partners", "routes", "a"]),
        ("version: 1\npartners: []\nroutes: {}\n", ["partners", "routes"]),
        ("version: 1\npartners: {p: x, q: {}}\nroutes: [x, {}]\n",
         ["partners.p", "partners.q.upstreams", "routes[0]",
          "routes[1].name", "routes[1].match", "routes[1].candidates"]),
        ("version: 1\npartners: {}\nroutes: [1, {name: a b}, 2, {name: c d, candidates: {}}]\n",
         ["routes[0]", "routes[1].name", "routes[1].match", "routes[1].candidates",
          "routes[2]", "routes[3].name", "routes[3].match", "routes[3].candidates"]),
    ],
    ids=["nothing right", "wrong kinds", "wrong items", "indexes after wrong items"],
)  # fmt: skip
def test_every_level_is_reported(text: str, paths: list[str]) -> None:
    """Places are those of the file, however many items before them were set aside."""
    _, problems = _validated(text)
    assert sorted(problem.path for problem in problems) == sorted(paths)


def test_unresolved_references_are_set_aside() -> None:
    """They are reported by place; what was resolved is marked."""
    root = _tree('a: "x${SET}"\nb: ["${UNSET}", c]\n"${UNSET}": d\n')
    problems = expand_references(root, {"SET": "1"}, HERE)
    assert [(problem.path, problem.line) for problem in problems] == [("b[0]", 2)]
    marks = {node.path: (node.referenced, node.pruned) for node in root.walk() if node.path}
    assert marks["a"] == (True, False)
    assert marks["b[0]"] == (False, True)
    assert marks["b[1]"] == (False, False)


def test_what_is_pruned_already_is_not_looked_up() -> None:
    """A key that stands twice is one problem."""
    root, problems = read_tree(b'a: x\na: "${UNSET}"\n')
    assert root is not None
    assert len(problems) == 1
    assert expand_references(root, {}, HERE) == []


def test_a_correct_file_needs_one_pass() -> None:
    """And nothing of it is a stub."""
    root = _tree(BASE)
    _, problems = validate(root, HERE)
    assert problems == []
    assert not any(node.pruned or node.stub for node in root.walk())
