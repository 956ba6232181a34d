"""Conclusions get their places, and are dropped where they rest on something wrong."""

from __future__ import annotations

import pytest

from proxy.settings.finding import Finding, settle
from proxy.settings.problems import Problem
from proxy.settings.reader import read_tree
from proxy.settings.tree import Node, find, lay_under


@pytest.fixture
def root() -> Node:
    """A small tree."""
    tree, _ = read_tree(b"a: {b: 1}\nc:\n  - d: 2\n  - d: 3\n")
    assert tree is not None
    return tree


def test_a_finding_is_placed_and_refers_to_others(root: Node) -> None:
    """By path, line and column; the lines of other places stand in the message."""
    finding = Finding(("c", 1, "d"), "is wrong", "fix it", see=(("a",), ("c", 0)))
    assert list(settle(root, [finding])) == [
        (Problem("c[1].d", 4, "is wrong (see line 1, 3)", "fix it", 5), False)
    ]


def test_a_place_that_is_not_in_the_file_has_its_parents_line(root: Node) -> None:
    """A default may be what is wrong."""
    [(problem, is_warning)] = settle(root, [Finding(("a", "x"), "m", "r", is_warning=True)])
    assert (problem.path, problem.line, is_warning) == ("a.x", 1, True)


@pytest.mark.parametrize(
    "finding",
    [
        Finding(("c",), "m", "r"),
        Finding(("a",), "m", "r", rests_on=(("c", 0),)),
        Finding(("a",), "m", "r", see=(("c", 0, "d"),)),
    ],
    ids=["about it", "resting on it", "referring to it"],
)
def test_nothing_is_concluded_from_what_is_wrong(root: Node, finding: Finding) -> None:
    """Its cause is reported already."""
    find(root, ("c", 0, "d"))[0].pruned = True
    assert list(settle(root, [finding])) == []


def test_a_place_in_a_profile_is_told_where_the_profile_is_named() -> None:
    """The path is the configuration's, and the profile's own place follows."""
    root, _ = _tree(b"a:\n  profile: x\n  b: 1\n")
    under, _ = _tree(b"c:\n  d: 2\n")
    for node in under.walk():
        node.file = "x.yaml"
    lay_under(find(root, ("a",))[0], under)
    (problem, _), (inner, _) = settle(
        root, [Finding(("a", "c", "d"), "is wrong", "fix it"), Finding(("a", "b"), "m", "r")]
    )
    assert problem == Problem("a.c.d", 2, "is wrong (x.yaml:2)", "fix it", 3)
    assert inner.line == 3


def _tree(text: bytes) -> tuple[Node, list[Problem]]:
    tree, problems = read_tree(text)
    assert tree is not None
    return tree, problems


def test_a_fact_of_a_profile_is_no_wish() -> None:
    """A finding about what only a user can want is dropped where a profile says it."""
    root, _ = _tree(b"a:\n  profile: x\n  b: 1\n")
    under, _ = _tree(b"c:\n  d: 2\n")
    for node in under.walk():
        node.file = "x.yaml"
    lay_under(find(root, ("a",))[0], under)
    wishes = [Finding(("a", key), "m", "r", of_profile=False) for key in "bc"]
    assert [problem.path for problem, _ in settle(root, wishes)] == ["a.b"]
