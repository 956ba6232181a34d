"""What a cross check concludes, before its place in the file is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from proxy.settings.problems import Problem
from proxy.settings.tree import Loc, Node, child_path, find, is_whole


@dataclass(frozen=True, slots=True)
class Finding:
    """A conclusion about the place `loc`.

    It rests on `loc` and on the places in `rests_on` and `see`; where one of them
    is itself wrong, the conclusion is worth nothing. The lines of `see` are shown.
    """

    loc: Loc
    message: str
    remedy: str
    rests_on: tuple[Loc, ...] = ()
    is_warning: bool = False
    see: tuple[Loc, ...] = ()
    of_profile: bool = True
    """False: worth nothing where a profile says it, which states facts and wishes for nothing."""


def settle(root: Node, findings: Iterable[Finding]) -> Iterator[tuple[Problem, bool]]:
    """Problems with their places, and whether each is only a warning."""
    for finding in findings:
        if not finding.of_profile and find(root, finding.loc)[0].file:
            continue
        if all(is_whole(root, loc) for loc in (finding.loc, *finding.rests_on, *finding.see)):
            yield _place(root, finding), finding.is_warning


def _place(root: Node, finding: Finding) -> Problem:
    node, rest = find(root, finding.loc)
    path = node.path
    for step in rest:
        path = child_path(path, step)
    lines = [str(find(root, loc)[0].line) for loc in finding.see]
    seen = f" (see line {', '.join(lines)})" if lines else ""
    message = finding.message + seen
    if node.file:
        return _place_of_profile(root, finding, message, node)
    return Problem(path, node.line, message, finding.remedy, node.column)


def _place_of_profile(root: Node, finding: Finding, message: str, node: Node) -> Problem:
    """Where the configuration names the profile: what it says besides wins, so that can be mended.

    The profile's own place follows the message.
    """
    path, own = "", root
    for depth, step in enumerate(finding.loc):
        path = child_path(path, step)
        above, _ = find(root, finding.loc[:depth])
        own = own if above.file else above
    own = find(own, ("profile",))[0]
    message = f"{message} ({node.file}:{node.line})"
    return Problem(path, own.line, message, finding.remedy, own.column)
