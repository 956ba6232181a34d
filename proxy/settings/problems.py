"""What is wrong with a configuration file: where, what, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


class Wrong(ValueError):
    """A value that can't be used. Both texts are ours: they never repeat the value."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake, or one warning.

    `path` reads like `routes[2].candidates[0]`; `line` and `column` count from 1
    and are None where the file has no such place. `file` is a profile's, or
    empty for the configuration itself.
    """

    path: str
    line: int | None
    message: str
    remedy: str
    column: int | None = None
    file: str = ""

    def render(self, file: str) -> str:
        """Two lines: `file:line: path: message` and the remedy."""
        file = self.file or file
        place = file if self.line is None else f"{file}:{self.line}"
        where = f"{place}: {self.path}" if self.path else place
        return f"{where}: {self.message}\n  remedy: {self.remedy}"


class SettingsError(Exception):
    """A configuration that can't be used; `problems` holds everything that was found."""

    def __init__(self, file: str, problems: Iterable[Problem]) -> None:
        self.file = file
        self.problems = sorted(problems, key=_by_place)
        super().__init__(file, len(self.problems))

    def __str__(self) -> str:
        return "\n".join(problem.render(self.file) for problem in self.problems)


def _by_place(problem: Problem) -> tuple[str, int, int]:
    """The configuration's own first, then those of each profile."""
    return problem.file, problem.line or 0, problem.column or 0


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, or None."""
    from difflib import get_close_matches  # only a broken file pays for the import

    by_lower = {name.lower(): name for name in known}
    found = get_close_matches(word.lower(), by_lower, n=1, cutoff=0.7)
    return by_lower[found[0]] if found else None


def suggest(word: str, known: Iterable[str]) -> str:
    """A remedy that names the nearest known word, or all of them."""
    choices = list(dict.fromkeys(known))
    close = nearest(word, choices)
    if close is not None:
        return f"did you mean {close}?"
    return f"known here: {', '.join(choices)}" if choices else "remove it"
