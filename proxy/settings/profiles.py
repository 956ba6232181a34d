"""From `profile: NAME` to the partner's facts: found, read, extended, checked, laid under.

It happens to the tree, before anything is validated as settings. So what the
configuration has besides wins key by key, and every value still knows its file
and line. A profile is checked as a whole of its own first: a mistake in it is
reported once, in its own file, however many partners have it.
"""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

from proxy.settings.kinds import is_profile_path
from proxy.settings.problems import Problem, Wrong, nearest
from proxy.settings.profile import OWN_KEYS, Profile, shipped
from proxy.settings.reader import TEXT_BYTES_MAX, read_tree
from proxy.settings.tree import Node, lay_under
from proxy.settings.validate import problem_at, validate_as

EXTENDS_MAX = 8
"""Profiles above one another; two are usual."""


def lay_profiles(root: Node, directory: Path) -> list[Problem]:
    """Give each partner of a configuration the facts of its profile, and report what is wrong."""
    shelf = Shelf()
    partners = _child(root, "partners")
    for _, partner in partners.children() if partners is not None else ():
        named = _child(partner, "profile")
        if named is not None and isinstance(named.value, str) and not named.pruned:
            facts = shelf.named_by(named, directory)
            if facts is not None:
                lay_under(partner, facts)
    return shelf.problems


def _child(node: Node, key: str) -> Node | None:
    return node.value.get(key) if isinstance(node.value, dict) else None


def locate(written: str, directory: Path) -> Path:
    """The file of a profile; a relative path starts at `directory`. Raises Wrong."""
    if is_profile_path(written):
        path = directory / written
        if not path.is_file():
            raise Wrong("is the path of a profile that is not there", "create or correct it")
        return path
    known = shipped()
    if written not in known:
        close = nearest(written, known)
        meant = f"did you mean {close}? " if close is not None else ""
        remedy = f"{meant}known: {', '.join(known)}; or the path of one of yours, ./NAME.yaml"
        raise Wrong("is no profile known here", remedy)
    return known[written]


class Shelf:
    """The profiles that one configuration uses, each read once; `problems` are all of theirs."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._facts: dict[Path, Node | None] = {}

    def named_by(self, named: Node, directory: Path, below: tuple[Path, ...] = ()) -> Node | None:
        """The facts of the profile that a node names; None, and a problem, where there are none.

        `below` are the profiles that are being extended, the first one first.
        """
        try:
            path = locate(str(named.value), directory).resolve()
            if path in below:
                raise Wrong("leads back to a profile that extends this one", "extend another one")
            if len(below) >= EXTENDS_MAX:
                raise Wrong("is one profile too many above another", "write its facts out")
            return self.read(path, below)
        except Wrong as wrong:
            named.pruned = True
            self.problems.append(problem_at(named, wrong.message, wrong.remedy))
            return None

    def read(self, path: Path, below: tuple[Path, ...] = ()) -> Node | None:
        """The facts of a file, with those of the profiles that it extends. Raises Wrong."""
        if path not in self._facts:
            self._facts[path] = self._read(path, below)
        return self._facts[path]

    def _read(self, path: Path, below: tuple[Path, ...]) -> Node | None:
        root, problems = read_tree(_content(path), "name: NAME")
        self.problems += [replace(problem, file=str(path)) for problem in problems]
        if root is None:
            return None
        for node in root.walk():
            node.file = str(path)
        self._refuse_references(root)
        extended = _child(root, "extends")
        if extended is not None and isinstance(extended.value, str) and not extended.pruned:
            facts = self.named_by(extended, path.parent, (*below, path))
            if facts is not None:
                lay_under(root, facts)
        _, refused = validate_as(Profile, root, path.parent)
        self.problems += refused
        return _facts_of(root)

    def _refuse_references(self, root: Node) -> None:
        for node in root.walk():
            if isinstance(node.value, str) and "${" in node.value and not node.pruned:
                node.pruned = True
                remedy = "write the value; what differs by place belongs into the configuration"
                self.problems.append(problem_at(node, "has a reference", remedy))


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(TEXT_BYTES_MAX + 1)
    except OSError:
        remedy = "let the sidecar's user read the file"
        raise Wrong("is the path of a profile that can't be read", remedy) from None


def _facts_of(root: Node) -> Node:
    facts = deepcopy(root)
    assert isinstance(facts.value, dict)  # read_tree refuses anything else
    for own in OWN_KEYS & facts.value.keys():
        del facts.value[own]
    return facts
