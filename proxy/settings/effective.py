"""What is known of a partner once profiles and configuration are laid together.

Each value comes with the file and line that say so, and can be copied into
either kind of file. Values that came from references are masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from proxy.settings.load import content
from proxy.settings.partner import Facts
from proxy.settings.problems import Problem, SettingsError, Wrong, suggest
from proxy.settings.profile import shipped
from proxy.settings.profiles import Shelf, lay_profiles, locate
from proxy.settings.reader import read_tree
from proxy.settings.secret import MASK
from proxy.settings.shape import keys
from proxy.settings.tree import Node, find
from proxy.settings.validate import expand_references

_COLUMN = 47
_PLAIN = re.compile(r"[A-Za-z/][^#:,\[\]{}\"']*|[0-9]+(ms|[smh])")


def profiles() -> str:
    """The shipped profiles, one a line with what it is about."""
    return "\n".join(f"{name:28}{_about(path)}" for name, path in shipped().items())


def _about(path: Path) -> str:
    root, _ = read_tree(path.read_bytes())
    assert root is not None  # a test reads every shipped profile
    about = str(find(root, ("about",))[0].value)
    return about.partition(". ")[0].rstrip(".")


def of_profile(name: str) -> str:
    """The facts of a profile and of those that it extends. Raises SettingsError."""
    shelf = Shelf()
    try:
        facts = shelf.read(locate(name, Path()).resolve())
    except Wrong as wrong:
        problem = Problem("", None, wrong.message, wrong.remedy)
        raise SettingsError(name, [problem]) from None
    if facts is None or shelf.problems:
        raise SettingsError(name, shelf.problems)
    return _text(facts, name)


def of_partner(path: Path, name: str, environ: Mapping[str, str]) -> str:
    """The facts that hold for a partner of a correct configuration. Raises SettingsError."""
    root, _ = read_tree(content(path))
    assert root is not None  # it has been loaded before
    directory = path.absolute().parent
    expand_references(root, environ, directory)
    lay_profiles(root, directory)
    partners = dict(find(root, ("partners",))[0].children())
    if name not in partners:
        remedy = suggest(name, map(str, partners))
        raise SettingsError(str(path), [Problem("", None, f"has no partner {name}", remedy)])
    return _text(partners[name], path.name)


def _text(facts: Node, file: str) -> str:
    chosen = [(key, find(facts, (key,))) for key in keys(Facts)]
    lines = _lines([(key, node) for key, (node, rest) in chosen if not rest], "", file)
    return "\n".join(lines)


def _lines(children: Iterable[tuple[str | int, Node]], indent: str, file: str) -> Iterator[str]:
    for key, node in children:
        name = str(key) if _PLAIN.fullmatch(str(key)) else json.dumps(key)
        below = isinstance(node.value, dict) and bool(node.value)
        line = f"{indent}{name}:" if below else f"{indent}{name}: {_scalar(node)}"
        yield f"{line:{_COLUMN}} # {Path(node.file).name or file}:{node.line}"
        if below:
            yield from _lines(node.children(), indent + "  ", file)


def _scalar(node: Node) -> str:
    if isinstance(node.value, list):
        return f"[{', '.join(_scalar(item) for item in node.value)}]"
    if isinstance(node.value, dict):
        return "{}"
    text = MASK if node.referenced else node.value
    return text if _PLAIN.fullmatch(text) or text.isdigit() else json.dumps(text)
