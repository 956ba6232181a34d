"""Which modules are compiled, and what none of them may have.

mypyc trusts what mypy believes, and raises TypeError where that is not so. The one belief
that is easily wrong: an attribute that was found to be None is taken to be None still
after a method was called. Such code has to read the attribute into a local name anew.

One construct is compiled wrongly, so no compiled module may have it: a call inside the
bounds of a slice can run twice (`view[os.write(fd, view) :]` writes twice).
"""

from __future__ import annotations

import ast
import fnmatch
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tools.source import Source, settings


def chosen(files: Sequence[str], rules: Mapping[str, Any]) -> list[str]:
    """Of `files`, those that are to be compiled: in one of the `rooms`, and not in `except`.

    Raises ValueError for a rule that nothing meets: it is outdated.
    """
    rooms, exceptions = rules["rooms"], rules.get("except", {})
    for rule in (*rooms, *exceptions):
        if not any(fnmatch.fnmatch(file, rule) for file in files):
            raise ValueError(f"[tool.tidegate.compiled] {rule}: there is no such file any more")
    return [
        file
        for file in files
        if any(fnmatch.fnmatch(file, room) for room in rooms)
        and not file.endswith("__init__.py")
        and not any(fnmatch.fnmatch(file, rule) for rule in exceptions)
    ]


def miscompiled(source: Source) -> list[str]:
    """Each place where a slice's bound does something, as a sentence."""
    return [
        f"{source.path}:{node.lineno}: a call in the bounds of a slice may run twice when it is "
        "compiled; give its result a name first"
        for node in ast.walk(source.tree())
        if isinstance(node, ast.Slice)
        and any(isinstance(each, ast.Await | ast.Call | ast.NamedExpr) for each in ast.walk(node))
        and not _harmless(node)
    ]


def _harmless(node: ast.Slice) -> bool:
    """Whether every call in it only measures."""
    calls = [each for each in ast.walk(node) if isinstance(each, ast.Call)]
    only_calls = not any(isinstance(each, ast.Await | ast.NamedExpr) for each in ast.walk(node))
    return only_calls and all(
        isinstance(each.func, ast.Name) and each.func.id in ("len", "max", "min") for each in calls
    )


def checked(root: Path, files: Sequence[str]) -> list[Source]:
    """What is to be compiled of `files`. Raises ValueError for what would be compiled wrongly."""
    names = chosen(files, settings(root, "compiled"))
    sources = [Source(name, (root / name).read_text(encoding="utf-8")) for name in names]
    if doubts := [sentence for source in sources for sentence in miscompiled(source)]:
        raise ValueError("\n".join(doubts))
    return sources
