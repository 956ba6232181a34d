"""Unit tests mirror the source: `proxy/x/y.py` is tested by `tests/unit/x/test_y.py`.

A long test may be cut by aspect: `test_y_reuse.py` tests `y.py` too, unless
there is a `y_reuse.py`. A source file needs a test when it has logic: a
function whose body does something. Contracts (bodies of `...` or only a
docstring) and plain records have none. The other way round, a unit test
without a source file is an orphan.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath

from tools.source import ROOT, Source, python_files, report, settings

SOURCES = "proxy"
TESTS = "tests/unit"


def has_logic(tree: ast.Module) -> bool:
    """Whether any function of the file has a body that does something."""
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and not all(_is_placeholder(statement) for statement in node.body)
        for node in ast.walk(tree)
    )


def _is_placeholder(statement: ast.stmt) -> bool:
    """A docstring, `...` or `pass`."""
    if isinstance(statement, ast.Expr):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass)


def test_path(source: str) -> str:
    """Where the unit test of a source file belongs; a package's own code is `test_init.py`."""
    path = PurePosixPath(source).relative_to(SOURCES)
    stem = path.stem.strip("_")
    return (PurePosixPath(TESTS) / path.parent / f"test_{stem}.py").as_posix()


def owner(test: str, expected: Collection[str]) -> str | None:
    """Of the `expected` tests the one that `test` is, or is an aspect of; None for an orphan."""
    stem = test.removesuffix(".py")
    while "/test_" in stem:
        if f"{stem}.py" in expected:
            return f"{stem}.py"
        stem = stem.rpartition("_")[0]
    return None


def check(sources: list[Source], tests: list[str], exempt: Mapping[str, str]) -> list[str]:
    """Every missing test, orphaned test and untrue exemption, as a sentence."""
    problems = []
    expected = {test_path(source.path): source for source in sources}
    owners = {test: owner(test, expected) for test in tests}
    tested = set(owners.values())
    for path, source in expected.items():
        excused = source.path in exempt
        needed = has_logic(source.tree())
        if needed and not excused and path not in tested:
            problems.append(f"{source.path}: has logic and no test, expected {path}")
        if excused and (path in tested or not needed):
            problems.append(f"{source.path}: its exemption in pyproject.toml is no longer needed")
    known = {source.path for source in sources}
    problems += [f"{path}: exempted, but there is no such file" for path in exempt.keys() - known]
    problems += [f"{test}: tests no source file" for test in tests if owners[test] is None]
    return problems


def main(root: Path = ROOT) -> int:
    """Check the repository; 0 when tests and sources mirror each other."""
    sources = list(python_files(root, [SOURCES]))
    tests = [
        test.path
        for test in python_files(root, [TESTS])
        if PurePosixPath(test.path).name.startswith("test_")
    ]
    exempt: dict[str, str] = settings(root, "mirror").get("exempt", {})
    summary = f"{len(sources)} source files, {len(tests)} unit test files, {len(exempt)} exempt"
    return report("tests_mirror", summary, check(sources, tests, exempt))


if __name__ == "__main__":
    sys.exit(main())
