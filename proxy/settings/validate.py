"""A tree to settings, in passes, so that one mistake never hides another.

Each pass lets the models read the tree, notes what they refuse, prunes it and
fills required places with stubs. The passes end when nothing is refused. Then
the cross checks run on what is left; a conclusion that rests on a pruned place
or a stub is dropped, since its cause has been reported already.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from proxy.settings.base import Model
from proxy.settings.problems import Problem, Wrong, suggest
from proxy.settings.references import expand
from proxy.settings.schema import Settings
from proxy.settings.shape import descend, keys, model_in
from proxy.settings.tree import Loc, Node, child_path, find, put_stub, to_data

M = TypeVar("M", bound=Model)

_KINDS = {
    "model_type": ("is not a mapping", "write key: value lines below it"),
    "dict_type": ("is not a mapping", "write key: value lines below it"),
    "tuple_type": ("is not a list", "write [one, two], or one '- item' per line"),
}
_OTHER = ("can't be read", "compare it with config/tidegate.yaml")


def expand_references(root: Node, environ: Mapping[str, str], directory: Path) -> list[Problem]:
    """Replace references in place; what leads nowhere is pruned and reported."""
    problems = []
    for node in root.walk():
        if node.pruned or not isinstance(node.value, str) or "${" not in node.value:
            continue
        try:
            node.value, node.referenced = expand(node.value, environ, directory)
        except Wrong as wrong:
            node.pruned = True
            problems.append(problem_at(node, wrong.message, wrong.remedy))
    return problems


def validate(root: Node, directory: Path) -> tuple[Settings, list[Problem]]:
    """Settings of all that could be read, and what could not."""
    return validate_as(Settings, root, directory)


def validate_as(model: type[M], root: Node, directory: Path) -> tuple[M, list[Problem]]:
    """The same of a file that is another model's."""
    problems: list[Problem] = []
    while True:
        try:
            found = model.model_validate(to_data(root), context={"directory": directory})
        except ValidationError as error:
            details: list[Any] = error.errors(include_url=False, include_input=False)
        else:
            return found, problems
        # Places are looked up before anything is pruned: pruning shifts a list's indexes.
        placed = [(detail, *_locate(root, detail)) for detail in details]
        for detail, node, missing in placed:
            if missing is None:
                node.pruned = True
                problems.append(_refusal(model, node, detail))
            else:
                problems.extend(_fill(model, node, missing, detail["loc"]))


def _locate(root: Node, detail: Any) -> tuple[Node, str | None]:
    """The node that an error is about; for a missing key, its parent and the key."""
    loc: Loc = detail["loc"]
    if detail["type"] == "missing":
        parent, _ = find(root, loc[:-1])
        return parent, str(loc[-1])
    if loc and loc[-1] == "[key]":
        loc = loc[:-1]
    node, _ = find(root, loc)
    if node is root or node.pruned:
        raise RuntimeError(f"a default of the schema is refused at {loc}")
    return node, None


def _fill(model: type[Model], parent: Node, key: str, loc: Loc) -> list[Problem]:
    """Put an example where a required key is missing; a pruned one was reported already."""
    known = isinstance(parent.value, dict) and key in parent.value
    _, field = descend(model, loc)
    examples = field.examples if field is not None else None
    if not examples:
        raise RuntimeError(f"a required key of the schema has no example: {key}")
    put_stub(parent, key, examples[0])
    if known:
        return []
    path = child_path(parent.path, key)
    remedy = f"add {key}: here"
    return [Problem(path, parent.line, "is missing", remedy, parent.column, parent.file)]


def _refusal(model: type[Model], node: Node, detail: Any) -> Problem:
    if detail["type"] == "extra_forbidden":
        return _unknown_key(model, node, detail["loc"])
    wrong = detail.get("ctx", {}).get("error")
    if isinstance(wrong, Wrong):
        return problem_at(node, wrong.message, wrong.remedy)
    return problem_at(node, *_KINDS.get(detail["type"], _OTHER))


def _unknown_key(model: type[Model], node: Node, loc: Loc) -> Problem:
    annotation, _ = descend(model, loc[:-1])
    below = model_in(annotation)
    known = keys(below) if below is not None else {}
    return problem_at(node, "is not a key known here", suggest(str(loc[-1]), known))


def problem_at(node: Node, message: str, remedy: str) -> Problem:
    """What is wrong with a node, where it stands."""
    return Problem(node.path, node.line, message, remedy, node.column, node.file)
