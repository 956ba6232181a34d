"""A file that calls itself PURE decides and does nothing else.

PURE stands in the module docstring of a file whose answers may depend on its
arguments alone: no `async`, no clock, no log, no input or output, no chance.
Such a file can be tested with tables, and replayed.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from tools.source import ROOT, Source, python_files, report

MARK = re.compile(r"\bPURE\b")

MODULES_FORBIDDEN = re.compile(
    r"(asyncio|contextvars|http\.client|http\.server|io|logging|multiprocessing|os|random|secrets"
    r"|selectors|signal|subprocess|sys|threading|time|uuid|aiodns|aiohttp|uvloop)(\..*)?"
)
CALLS_FORBIDDEN = frozenset(("breakpoint", "input", "open", "print"))
# Methods that read a clock, ours (`Clock`), the loop's, or the one of datetime.
METHODS_FORBIDDEN = frozenset(("monotonic", "now", "perf_counter", "today", "utcnow", "wall"))


def is_marked(tree: ast.Module) -> bool:
    """Whether the module docstring carries the word PURE."""
    return MARK.search(ast.get_docstring(tree) or "") is not None


def impurities(source: Source) -> Iterator[str]:
    """Every statement of a file that a PURE one may not have, as a sentence."""
    for node in ast.walk(source.tree()):
        for what in _impurity(node):
            yield f"{source.path}:{getattr(node, 'lineno', 0)}: PURE, yet {what}"


def _impurity(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.AsyncFunctionDef() | ast.AsyncFor() | ast.AsyncWith() | ast.Await():
            yield "asynchronous"
        case ast.ListComp() | ast.SetComp() | ast.DictComp() | ast.GeneratorExp():
            if any(each.is_async for each in node.generators):
                yield "asynchronous"
        case ast.Import(names=names):
            yield from (f"imports {each.name}" for each in names if _forbidden(each.name))
        case ast.ImportFrom(module=str(module)) if _forbidden(module):
            yield f"imports {module}"
        case ast.Call(func=ast.Name(id=name)) if name in CALLS_FORBIDDEN:
            yield f"calls {name}()"
        case ast.Call(func=ast.Attribute(attr=name)) if name in METHODS_FORBIDDEN:
            yield f"reads a clock with .{name}()"


def _forbidden(module: str) -> bool:
    return MODULES_FORBIDDEN.fullmatch(module) is not None


def main(root: Path = ROOT) -> int:
    """Check the repository; 0 when every PURE file is pure."""
    marked = [source for source in python_files(root, ["proxy"]) if is_marked(source.tree())]
    problems = [problem for source in marked for problem in impurities(source)]
    return report("pure_check", f"{len(marked)} PURE files", problems)


if __name__ == "__main__":
    sys.exit(main())
