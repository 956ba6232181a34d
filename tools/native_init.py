"""PURE. Gives dataclasses an `__init__` that can be compiled.

mypyc leaves the `__init__` of a dataclass to the standard library, which makes it
when the class is made: interpreted, one generic assignment a field. So the copy that
is compiled has it written out, on the empty line behind the class: no line moves, and
tracebacks still fit the sources. What it does is the same. A class that is frozen,
has fields with a factory, or inherits fields from elsewhere, stays as it is.
"""

from __future__ import annotations

import ast

_EMPTY = "field(default_factory=list)"


def with_native_inits(text: str) -> str:
    """The source with the `__init__` of its plain dataclasses written out."""
    tree = ast.parse(text)
    lines = text.splitlines()
    known: dict[str, list[ast.AnnAssign]] = {}
    for node in tree.body:
        if not isinstance(node, ast.ClassDef):
            continue
        options = _options(node)
        if options is None or not set(options) <= {"slots", "kw_only"}:
            continue
        fields = _fields(node, known)
        if fields is None:
            continue
        known[node.name] = fields
        end = node.end_lineno or 0
        lines[end : end + 1] = [_init(fields, kw_only="kw_only" in options)]
    return "\n".join(lines) + "\n"


def _options(node: ast.ClassDef) -> list[str] | None:
    """What `@dataclass` is told; None for a class that is none."""
    if len(node.decorator_list) != 1:
        return None
    (only,) = node.decorator_list
    if isinstance(only, ast.Name) and only.id == "dataclass":
        return []
    if isinstance(only, ast.Call) and ast.unparse(only.func) == "dataclass":
        return [keyword.arg or "" for keyword in only.keywords]
    return None


def _fields(
    node: ast.ClassDef, known: dict[str, list[ast.AnnAssign]]
) -> list[ast.AnnAssign] | None:
    """Those of its bases first; None where something is not plain."""
    fields: list[ast.AnnAssign] = []
    for base in node.bases:
        if not isinstance(base, ast.Name) or base.id not in known:
            return None
        fields += known[base.id]
    for each in node.body:
        if isinstance(each, ast.FunctionDef) and each.name in ("__init__", "__post_init__"):
            return None
        if isinstance(each, ast.AnnAssign):
            if each.value is not None and not _plain(each.value):
                return None
            fields.append(each)
    return fields or None


def _plain(value: ast.expr) -> bool:
    """Whether a default may be shared by all calls; infinity may; an empty list is made anew."""
    return ast.unparse(value) == _EMPTY or not any(
        isinstance(each, ast.Call) and ast.unparse(each) != "float('inf')"
        for each in ast.walk(value)
    )


def _init(fields: list[ast.AnnAssign], *, kw_only: bool) -> str:
    given, body = ["self", "*"] if kw_only else ["self"], []
    if kw_only:  # in any order for Python, not for mypyc
        fields = sorted(fields, key=lambda each: each.value is not None)
    for each in fields:
        name, annotation = ast.unparse(each.target), ast.unparse(each.annotation)
        if each.value is None:
            given.append(f"{name}: {annotation}")
        elif ast.unparse(each.value) == _EMPTY:
            given.append(f"{name}: {annotation} | None = None")
            body.append(f"self.{name} = [] if {name} is None else {name}")
            continue
        else:
            given.append(f"{name}: {annotation} = {ast.unparse(each.value)}")
        body.append(f"self.{name} = {name}")
    return f"    def __init__({', '.join(given)}) -> None: {'; '.join(body)}"
