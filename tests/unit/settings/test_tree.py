"""Nodes know their places, and pruning leaves no trace but the place itself."""

from __future__ import annotations

import pytest

from proxy.settings.reader import read_tree
from proxy.settings.secret import Referenced
from proxy.settings.tree import (
    Node,
    child_path,
    find,
    graft,
    is_whole,
    lay_under,
    put_stub,
    to_data,
)

TEXT = b"""\
a: {b: 1}
list: [x, y, z]
"""


@pytest.fixture
def root() -> Node:
    """A small tree."""
    tree, problems = read_tree(TEXT)
    assert tree is not None
    assert problems == []
    return tree


@pytest.mark.parametrize(
    ("path", "key", "shown"),
    [
        ("", "a", "a"),
        ("a", "b", "a.b"),
        ("a", 3, "a[3]"),
        ("a", "X-Y_z.1", "a.X-Y_z.1"),
        ("a", "Bearer sk", "a.?"),
        ("a", "x" * 65, "a.?"),
    ],
)
def test_paths_read_as_documented(path: str, key: str | int, shown: str) -> None:
    """And a key that looks like no key, perhaps a misplaced secret, is not repeated."""
    assert child_path(path, key) == shown


def test_what_is_pruned_is_not_seen_by_the_models(root: Node) -> None:
    """It disappears from the data; later items move up, and are found where they moved to."""
    find(root, ("list", 0))[0].pruned = True
    assert to_data(root) == {"a": {"b": "1"}, "list": ["y", "z"]}
    assert find(root, ("list", 0))[0].path == "list[1]"


def test_a_place_that_is_not_there_ends_at_its_nearest_ancestor(root: Node) -> None:
    """With the rest of the place, so that a path can still be shown."""
    node, rest = find(root, ("a", "c", "d"))
    assert (node.path, rest) == ("a", ("c", "d"))
    assert find(root, ("list", 7))[1] == (7,)
    assert find(root, ("a", "b", 0))[1] == (0,)


def test_conclusions_need_whole_places(root: Node) -> None:
    """A place is whole when nothing at it, above its end or below it is pruned or a stub."""
    assert is_whole(root, ("a",))
    assert is_whole(root, ("a", "missing"))
    find(root, ("a", "b"))[0].pruned = True
    assert not is_whole(root, ("a",))
    assert not is_whole(root, ("a", "b"))
    assert not is_whole(root, ("a", "b", "c"))
    assert is_whole(root, ("list",))


def test_a_stub_fills_a_place_but_is_not_whole(root: Node) -> None:
    """Examples of any shape stand where the parent stands."""
    put_stub(find(root, ("a",))[0], "c", {"d": ["e", 1]})
    assert to_data(find(root, ("a", "c"))[0]) == {"d": ["e", "1"]}
    assert find(root, ("a", "c", "d", 1))[0].path == "a.c.d[1]"
    assert find(root, ("a", "c"))[0].line == 1
    assert not is_whole(root, ("a",))


def test_referenced_text_stays_marked(root: Node) -> None:
    """The models mask by that mark."""
    node, _ = find(root, ("a", "b"))
    node.referenced = True
    assert isinstance(to_data(node), Referenced)


def test_a_graft_is_a_copy_for_another_place(root: Node) -> None:
    """With its own paths, nodes and depth counted; what is pruned there stays."""
    source, _ = find(root, ("list",))
    find(root, ("list", 1))[0].pruned = True
    copy, count, depth = graft(source, "z", 9, 4)
    assert (count, depth) == (4, 1)
    assert (copy.path, copy.line, copy.column) == ("z", 9, 4)
    assert [node.path for node in copy.walk()] == ["z", "z[0]", "z[1]", "z[2]"]
    assert to_data(copy) == ["x", "z"]
    find(copy, (0,))[0].pruned = True
    assert to_data(root) == {"a": {"b": "1"}, "list": ["x", "z"]}


def _of(text: bytes) -> Node:
    tree, _ = read_tree(text)
    assert tree is not None
    return tree


def test_what_lies_under_shows_where_nothing_lies_over() -> None:
    """Mappings key by key; lists and texts as a whole; another kind hides what is under it."""
    over = _of(b"a: {b: 1}\nlist: [x]\nkind: {c: 1}\n")
    under = _of(b"a: {b: 2, d: {e: 3}}\nlist: [y, z]\nkind: text\nonly: here\n")
    lay_under(over, under)
    assert to_data(over) == {
        "a": {"b": "1", "d": {"e": "3"}},
        "list": ["x"],
        "kind": {"c": "1"},
        "only": "here",
    }
    assert find(over, ("a", "d", "e"))[0].line == 1
    lay_under(_of(b"a: 1\n").children()[0][1], under)  # a text has no keys to fill


def test_what_lies_under_is_copied() -> None:
    """Pruning it in one place leaves it in the other."""
    under = _of(b"a: {b: 1}\n")
    over = _of(b"c: 1\n")
    lay_under(over, under)
    find(over, ("a", "b"))[0].pruned = True
    assert to_data(under) == {"a": {"b": "1"}}
