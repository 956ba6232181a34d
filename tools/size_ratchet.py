"""Files and functions stay small: a hard stop, and a ratchet on the files in between.

The numbers are in pyproject.toml, `[tool.tidegate.size]`. The distribution is
printed so that a drift is seen long before a limit is met.
"""

from __future__ import annotations

import ast
import statistics
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.source import ROOT, Source, python_files, report, settings


@dataclass(frozen=True, slots=True)
class Limits:
    """Lines at which a file or function is above its aim, needs a thought, or is refused."""

    roots: list[str]
    file_lines_aim: int
    file_lines_think: int
    file_lines_max: int
    function_lines_aim: int
    function_lines_max: int
    files_over_think_max: int


@dataclass(frozen=True, slots=True)
class Size:
    """A file or a function and its length in lines, decorators and docstring included."""

    where: str
    lines: int


def function_sizes(source: Source) -> Iterator[Size]:
    """Every function and method of a file, nested ones too."""
    for node in ast.walk(source.tree()):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            last = node.end_lineno or node.lineno
            yield Size(f"{source.path}:{first} {node.name}", last - first + 1)


def judge(files: list[Size], functions: list[Size], limits: Limits) -> list[str]:
    """Every size that breaks a limit, as a sentence."""
    problems = [
        f"{size.where}: {size.lines} lines, a file stops at {limits.file_lines_max}"
        for size in files
        if size.lines > limits.file_lines_max
    ]
    problems += [
        f"{size.where}: {size.lines} lines, a function stops at {limits.function_lines_max}"
        for size in functions
        if size.lines > limits.function_lines_max
    ]
    large = [size for size in files if size.lines > limits.file_lines_think]
    if len(large) > limits.files_over_think_max:
        names = ", ".join(f"{size.where} ({size.lines})" for size in large)
        problems.append(
            f"{len(large)} files over {limits.file_lines_think} lines, the ratchet stands at "
            f"{limits.files_over_think_max}: {names}"
        )
    return problems


def distribution(sizes: list[Size], aim: int, what: str) -> str:
    """How many there are, how many above the aim, and the median."""
    if not sizes:
        return f"0 {what}"
    above = sum(size.lines > aim for size in sizes)
    median = statistics.median(size.lines for size in sizes)
    return f"{len(sizes)} {what}, median {median:g} lines, {above} over {aim}"


def check(sources: Iterable[Source], limits: Limits) -> tuple[str, list[str]]:
    """The printed summary and the problems of a set of files."""
    files: list[Size] = []
    functions: list[Size] = []
    for source in sources:
        files.append(Size(source.path, len(source.text.splitlines())))
        functions.extend(function_sizes(source))
    summary = ", ".join(
        (
            distribution(files, limits.file_lines_aim, "files"),
            distribution(functions, limits.function_lines_aim, "functions"),
        )
    )
    return summary, judge(files, functions, limits)


def main(root: Path = ROOT) -> int:
    """Check the repository; 0 when every size is within its limit."""
    limits = Limits(**settings(root, "size"))
    summary, problems = check(python_files(root, limits.roots), limits)
    return report("size_ratchet", summary, problems)


if __name__ == "__main__":
    sys.exit(main())
