"""A configuration file to settings: read, expand, validate, cross-check, report everything."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from proxy.settings.checks import check
from proxy.settings.digest import digest
from proxy.settings.problems import Problem, SettingsError
from proxy.settings.profiles import lay_profiles
from proxy.settings.reader import TEXT_BYTES_MAX, read_tree
from proxy.settings.schema import Settings, json_schema
from proxy.settings.tree import Node, find
from proxy.settings.validate import expand_references, validate

__all__ = ["Loaded", "Problem", "SettingsError", "json_schema", "load", "read"]


@dataclass(frozen=True, slots=True)
class Loaded:
    """A configuration that can be used.

    `warnings` are worth a look but forbid nothing; `hash` is the SHA-256 of all
    that is in force (see digest.py).
    """

    settings: Settings
    warnings: list[Problem]
    hash: str
    path: Path


def load(path: str | Path, environ: Mapping[str, str] | None = None) -> Loaded:
    """Read a file; `environ` stands in for the process's environment.

    Raises SettingsError with every problem of the file.
    """
    place = Path(path)
    return read(content(place), place, os.environ if environ is None else environ)


def read(content: bytes, path: Path, environ: Mapping[str, str]) -> Loaded:
    """Settings from a file's content; `path` is where it is taken to stand. Raises as `load`."""
    root, problems = read_tree(content)
    if root is None:
        raise SettingsError(str(path), problems)
    directory = path.absolute().parent
    problems += expand_references(root, environ, directory)
    problems += lay_profiles(root, directory)
    settings, refused = validate(root, directory)
    concluded, warnings = check(settings, root)
    problems += refused + concluded
    if problems:
        raise SettingsError(str(path), problems)
    _number_lines(settings, root)
    return Loaded(settings, warnings, digest(settings), path)


def content(path: Path) -> bytes:
    """A configuration file as it stands. Raises SettingsError."""
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES_MAX + 1)
    except OSError as error:
        reason = (error.strerror or "unreadable").lower()
        remedy = "name a file that the sidecar's user can read"
        problem = Problem("", None, f"the file can't be read: {reason}", remedy)
    raise SettingsError(str(path), [problem])


def _number_lines(settings: Settings, root: Node) -> None:
    """Tell each route where in the file it stands, for `tidegate explain`."""
    for index, route in enumerate(settings.routes):
        route.stand_at(find(root, ("routes", index))[0].line)
