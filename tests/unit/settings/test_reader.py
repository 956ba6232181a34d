"""YAML is read strictly and within bounds, and every node has its line."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.settings.reader import DEPTH_MAX, NODES_MAX, TEXT_BYTES_MAX, read_tree
from proxy.settings.tree import find, to_data


def _refusal(content: bytes) -> tuple[str, int | None]:
    root, problems = read_tree(content)
    assert root is None
    return problems[-1].message, problems[-1].line


def _notes(text: str) -> list[tuple[str, int | None]]:
    root, problems = read_tree(text.encode())
    assert root is not None
    return [(problem.path, problem.line) for problem in problems]


def test_scalars_stay_text() -> None:
    """YAML 1.1 would read a boolean, an octal number, a time and a float here."""
    root, _ = read_tree(b"a: no\nb: 0600\nc: 12:30:00\nd: 1e3\ne: !!str 7\nf: 'null'\n")
    assert root is not None
    assert to_data(root) == {
        "a": "no",
        "b": "0600",
        "c": "12:30:00",
        "d": "1e3",
        "e": "7",
        "f": "null",
    }


def test_a_child_stands_where_its_key_stands() -> None:
    """Lines count from 1, for block and flow style; items of lists have their own."""
    root, _ = read_tree(b"a:\n  b:\n    - x\n    - {c: 1}\n")
    assert root is not None
    places = {node.path: (node.line, node.column) for node in root.walk()}
    assert places == {
        "": (1, 1),
        "a": (1, 1),
        "a.b": (2, 3),
        "a.b[0]": (3, 7),
        "a.b[1]": (4, 7),
        "a.b[1].c": (4, 8),
    }


def test_aliases_are_copies_with_their_own_paths() -> None:
    """A mistake in one use can be told from the others."""
    root, problems = read_tree(b"a: &x {b: [1]}\nc: *x\n")
    assert root is not None
    assert problems == []
    assert to_data(root) == {"a": {"b": ["1"]}, "c": {"b": ["1"]}}
    assert find(root, ("c", "b", 0))[0].path == "c.b[0]"
    assert find(root, ("c",))[0].line == 2


@pytest.mark.parametrize(
    ("text", "path", "line"),
    [
        ("a: 1\nb: 2\na: 3\n", "a", 3),
        ("a:\nb: 2\n", "a", 1),
        ("a: ~\n", "a", 1),
        ("a: [x, null]\n", "a[1]", 1),
        ("a: !x 1\n", "a", 1),
        ("a: !!python/object:os.system {}\n", "a", 1),
        ("a: *x\n", "a", 1),
        ("a: &x [*x]\n", "a[0]", 1),
        ("b: {<<: {c: 1}}\n", "b.?", 1),
    ],
)
def test_what_is_not_read_is_noted_and_pruned(text: str, path: str, line: int) -> None:
    """The rest of the file is still read, so that all its mistakes can be reported."""
    assert _notes(text) == [(path, line)]


@pytest.mark.parametrize(
    ("content", "message", "line"),
    [
        (b"", "the file is empty", None),
        (b"# nothing\n\n", "the file is empty", None),
        (b"---\n", "the file is empty", None),
        (b"~\n", "the file is empty", None),
        (b"just words\n", "the file is not a mapping", 1),
        (b"\n- a\n- b\n", "the file is not a mapping", 2),
        (b"a: 1\n---\nb: 1\n", "a second document begins", 2),
        (b"? [a]\n: b\n", "a key is not plain text", 1),
        (b"*a : b\n", "a key is not plain text", 1),
        (b"a: 1\nb: \xff\n", "the file is not UTF-8 text", 2),
        (b"a: 1\nb: \x07\n", "a control character stands in the text (column 4)", 2),
        (b"a: 1\nb:\n\tc: 1\n", "a tab stands in the indentation (column 1)", 3),
        (b"a: #" + b"x" * TEXT_BYTES_MAX, "the file is larger than 1MiB", None),
    ],
)
def test_what_leaves_nothing_to_read_is_refused(
    content: bytes, message: str, line: int | None
) -> None:
    """With the line where there is one."""
    assert _refusal(content) == (message, line)


def test_a_byte_order_mark_is_not_content() -> None:
    """Some editors write one."""
    root, problems = read_tree(b"\xef\xbb\xbfa: 1\n")
    assert root is not None
    assert (to_data(root), problems) == ({"a": "1"}, [])


@pytest.mark.parametrize("opening", ["[", "- ", "{a: ", "? ", "[[", "- - "])
def test_endless_nesting_ends_at_the_bound(opening: str) -> None:
    """PyYAML's composer would overflow the C stack and end the process."""
    message, line = _refusal(("a:\n " + opening * 100_000).encode())
    assert message in ("the nesting is too deep", "a key is not plain text")
    assert line == 2


def test_nesting_through_aliases_counts_as_deep() -> None:
    """Depth is that of the tree, not that of the text."""
    chain = "".join(f"k{n}: &k{n} [*k{n - 1}]\n" for n in range(1, DEPTH_MAX + 2))
    assert _refusal(f"k0: &k0 [x]\n{chain}".encode())[0] == "the nesting is too deep"


def test_a_billion_laughs_are_cut_short() -> None:
    """Nine levels of nine aliases would be four hundred million nodes."""
    names = "abcdefghi"
    lines = ["a: &a [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]" for before, name in pairwise(names)
    ]
    assert _refusal("\n".join(lines).encode())[0] == "the file has too many values"


def test_many_values_are_too_many() -> None:
    """The bound holds without aliases as well."""
    text = "\n".join(f"k{number}: 1" for number in range(NODES_MAX + 1))
    assert _refusal(text.encode())[0] == "the file has too many values"


@given(st.text(alphabet="ab:-[]{}&*!|>'\"%@`,#?$ \n\t\x00é", max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing else: no exception for any text."""
    root, problems = read_tree(text.encode())
    assert root is not None or problems
