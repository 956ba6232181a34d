"""YAML text to a tree, strictly: no duplicate keys, no tags, no merge keys, one document.

The tree is built from parser *events*. PyYAML's own composing recurses in C:
half a megabyte of brackets would end the process with a segmentation fault.
Here size, depth and nodes (an alias counts as often as it is used) are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml

from proxy.settings.problems import Problem
from proxy.settings.tree import Node, child_path, graft
from proxy.settings.yaml_errors import syntax_problem

TEXT_BYTES_MAX = 1024 * 1024
NODES_MAX = 20_000
DEPTH_MAX = 16
"""The deepest key of the schema stands at 8."""

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STRANGE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_TAGS = (None, "!", "tag:yaml.org,2002:str")
_NULLS = ("", "~", "null", "Null", "NULL")


class _Stop(Exception):
    """Reading can't go on."""

    def __init__(self, message: str, remedy: str, line: int | None = None, column: int = 1) -> None:
        super().__init__(message)
        self.problem = Problem("", line, message, remedy, None if line is None else column)


def read_tree(content: bytes, beginning: str = "version: 1") -> tuple[Node | None, list[Problem]]:
    """The tree and what is wrong with it; None when nothing could be read.

    `beginning` is how such a file begins, for a reader who has not begun.
    """
    text = ""
    builder = _Builder(beginning)
    try:
        text = _decode(content)
        return builder.document(yaml.parse(text, Loader=_LOADER)), builder.problems
    except _Stop as stop:
        return None, [*builder.problems, stop.problem]
    except yaml.YAMLError as error:
        return None, [*builder.problems, syntax_problem(error, text)]


def _decode(content: bytes) -> str:
    if len(content) > TEXT_BYTES_MAX:
        raise _Stop("the file is larger than 1MiB", "shorten it")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _Stop("the file is not UTF-8 text", "save it as UTF-8", line) from None
    strange = _STRANGE.search(text)
    if strange is not None:
        at = strange.start()
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
        message = f"a control character stands in the text (column {column})"
        raise _Stop(message, "remove the character", line, column)
    return text


class _Builder:
    """Builds nodes from events, depth first; mistakes that leave the rest readable are noted."""

    def __init__(self, beginning: str) -> None:
        self._beginning = beginning
        self.problems: list[Problem] = []
        self._anchors: dict[str, Node] = {}
        self._nodes = 0

    def document(self, events: Iterator[Any]) -> Node:
        """The only document of a stream."""
        root: Node | None = None
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                if root is not None:
                    raise _Stop("a second document begins", "keep one document", *_place(event))
                first = next(events)
                root = self._node(first, events, "", _place(first), 0)
        if root is None or (root.pruned and root.value == ""):
            raise _Stop("the file is empty", f"begin with {self._beginning}")
        if not isinstance(root.value, dict):
            remedy = f"begin with {self._beginning} and write key: value lines"
            raise _Stop("the file is not a mapping", remedy, root.line)
        return root

    def _node(
        self, event: Any, events: Iterator[Any], path: str, place: tuple[int, int], depth: int
    ) -> Node:
        self._nodes += 1
        if self._nodes > NODES_MAX:
            raise _Stop("the file has too many values", "use fewer aliases", place[0])
        if depth > DEPTH_MAX:
            raise _Stop("the nesting is too deep", "remove levels", place[0], place[1])
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event, path, place, depth)
        node = Node("", path, *place)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(node, event)
        elif isinstance(event, yaml.SequenceStartEvent):
            self._list(node, events, depth)
        else:
            self._mapping(node, events, depth)
        if event.tag not in _TEXT_TAGS:
            self._note(node, "has a YAML tag, which is not read", "remove the word after !")
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _scalar(self, node: Node, event: Any) -> None:
        node.value = event.value
        if event.style in (None, "") and event.value in _NULLS:
            node.value = ""
            if node.path:
                remedy = "give it a value, or remove the key to have its default"
                self._note(node, "has no value", remedy)
            node.pruned = True

    def _list(self, node: Node, events: Iterator[Any], depth: int) -> None:
        items: list[Node] = []
        node.value = items
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                return
            path = child_path(node.path, len(items))
            items.append(self._node(event, events, path, _place(event), depth + 1))

    def _mapping(self, node: Node, events: Iterator[Any], depth: int) -> None:
        items: dict[str, Node] = {}
        node.value = items
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                return
            place = _place(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _Stop("a key is not plain text", "write key: value", *place)
            key = event.value
            path = child_path(node.path, key)
            child = self._node(next(events), events, path, place, depth + 1)
            if key in items:
                message = f"the key stands here again; it is already in line {items[key].line}"
                self._note(child, message, "keep one of the two")
            elif key == "<<":
                self._note(child, "merge keys are not read", "write the keys out")
            else:
                items[key] = child

    def _alias(self, event: Any, path: str, place: tuple[int, int], depth: int) -> Node:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            node = Node("", path, *place)
            self._note(node, "is an alias of nothing above it", "define the &anchor first")
            return node
        copy, count, deepest = graft(anchored, path, *place)
        self._nodes += count - 1
        if self._nodes > NODES_MAX:
            raise _Stop("the file has too many values", "use fewer aliases", place[0])
        if depth + deepest > DEPTH_MAX:
            raise _Stop("the nesting is too deep", "remove levels", place[0], place[1])
        return copy

    def _note(self, node: Node, message: str, remedy: str) -> None:
        node.pruned = True
        self.problems.append(Problem(node.path, node.line, message, remedy, node.column))


def _place(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1
