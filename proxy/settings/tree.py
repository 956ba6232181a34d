"""The file as a tree whose every node knows its place.

Scalars stay text: whether `no` is a word or a boolean, or `0600` a mode or a
number, is decided by the key it stands under and never by how YAML 1.1 would
read it. A node that is wrong is *pruned*: it stays in the tree, so that others
may refer to it, but is left out of what the models see. A required value that
is missing is replaced by a *stub*, so that the rest can still be checked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import dataclass

from proxy.settings.secret import Referenced

Loc = tuple[str | int, ...]

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_.\-]{1,64}")


@dataclass(slots=True, eq=False)
class Node:
    """A scalar, a mapping or a list; `line` and `column` count from 1.

    A mapping's child stands where its key stands: that is where a reader looks.
    `file` is the profile that it came from; it is empty in the configuration's own nodes.
    """

    value: str | dict[str, Node] | list[Node]
    path: str
    line: int
    column: int
    referenced: bool = False
    pruned: bool = False
    stub: bool = False
    file: str = ""

    def children(self) -> Sequence[tuple[str | int, Node]]:
        """Key or index, and node; empty for a scalar."""
        if isinstance(self.value, dict):
            return list(self.value.items())
        if isinstance(self.value, list):
            return list(enumerate(self.value))
        return ()

    def walk(self) -> Iterator[Node]:
        """This node and everything below it."""
        yield self
        for _, child in self.children():
            yield from child.walk()


def child_path(path: str, key: str | int) -> str:
    """The path of a child. A key that doesn't look like one is not repeated."""
    if isinstance(key, int):
        return f"{path}[{key}]"
    shown = key if _PLAIN_KEY.fullmatch(key) else "?"
    return f"{path}.{shown}" if path else shown


def to_data(node: Node) -> object:
    """Plain dicts, lists and text without what is pruned; referenced text marked as such."""
    if isinstance(node.value, dict):
        return {key: to_data(child) for key, child in node.value.items() if not child.pruned}
    if isinstance(node.value, list):
        return [to_data(child) for child in node.value if not child.pruned]
    return Referenced(node.value) if node.referenced else node.value


def find(root: Node, loc: Loc) -> tuple[Node, Loc]:
    """The node at a place in what `to_data` made, and what of the place the file doesn't have."""
    node = root
    for depth, step in enumerate(loc):
        below = _child(node, step)
        if below is None:
            return node, loc[depth:]
        node = below
    return node, ()


def _child(node: Node, step: str | int) -> Node | None:
    if isinstance(node.value, dict):
        return node.value.get(str(step))
    if isinstance(node.value, list) and isinstance(step, int):
        present = [child for child in node.value if not child.pruned]
        return present[step] if step < len(present) else None
    return None


def is_whole(root: Node, loc: Loc) -> bool:
    """Whether nothing at or below a place was found wrong, so that conclusions may rest on it."""
    node, rest = find(root, loc)
    if rest:
        return not node.pruned
    return not any(below.pruned or below.stub for below in node.walk())


def graft(node: Node, path: str, line: int, column: int) -> tuple[Node, int, int]:
    """A copy for another place, its number of nodes and its depth; lines below it stay."""
    copy = Node("", path, line, column, node.referenced, node.pruned)
    if isinstance(node.value, str):
        copy.value = node.value
        return copy, 1, 0
    count, deepest = 1, 0
    grafted: list[tuple[str | int, Node]] = []
    for key, child in node.children():
        below, nodes, depth = graft(child, child_path(path, key), child.line, child.column)
        grafted.append((key, below))
        count += nodes
        deepest = max(deepest, depth + 1)
    if isinstance(node.value, dict):
        copy.value = {str(key): below for key, below in grafted}
    else:
        copy.value = [below for _, below in grafted]
    return copy, count, deepest


def lay_under(over: Node, under: Node) -> None:
    """Give a mapping what another one has besides: mappings key by key, all else as a whole."""
    if not isinstance(over.value, dict) or not isinstance(under.value, dict):
        return
    for key, node in under.value.items():
        if key in over.value:
            lay_under(over.value[key], node)
        else:
            over.value[key] = deepcopy(node)


def put_stub(parent: Node, key: str, example: object) -> None:
    """Fill a missing required key with an example value."""
    if isinstance(parent.value, dict):
        parent.value[key] = _stub(example, child_path(parent.path, key), parent)


def _stub(example: object, path: str, parent: Node) -> Node:
    value: str | dict[str, Node] | list[Node]
    if isinstance(example, dict):
        value = {key: _stub(inner, child_path(path, key), parent) for key, inner in example.items()}
    elif isinstance(example, list):
        value = [_stub(inner, child_path(path, at), parent) for at, inner in enumerate(example)]
    else:
        value = str(example)
    return Node(value, path, parent.line, parent.column, stub=True, file=parent.file)
