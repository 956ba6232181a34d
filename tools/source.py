"""What every check needs: the repository's root, its settings and its Python files."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Source:
    """One Python file; `path` is relative to the root, with forward slashes."""

    path: str
    text: str

    def tree(self) -> ast.Module:
        """The parsed file."""
        return ast.parse(self.text, filename=self.path)


def settings(root: Path, check: str) -> dict[str, Any]:
    """The table `[tool.tidegate.CHECK]` of pyproject.toml; empty if there is none."""
    document = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    table: dict[str, Any] = document.get("tool", {}).get("tidegate", {}).get(check, {})
    return table


def python_files(root: Path, folders: Iterable[str]) -> Iterator[Source]:
    """Every Python file below `folders` of `root`, sorted by path."""
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            yield Source(file.relative_to(root).as_posix(), file.read_text(encoding="utf-8"))


def report(check: str, summary: str, problems: list[str]) -> int:
    """Print what a check found and give its exit status: 0 when there is no problem."""
    for problem in problems:
        print(problem)
    print(f"{check}: {summary}; {len(problems) or 'no'} problem{'s' if len(problems) != 1 else ''}")
    return 1 if problems else 0
