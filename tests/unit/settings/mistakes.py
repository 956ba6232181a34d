"""Reads mistakes.txt: mistakes that people make, and what the report must say of each."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Mistake:
    """One wrong edit of the example, and where and how it must be reported."""

    name: str
    old: str
    new: str
    marker: str
    path: str
    remedy: str


def _mistake(block: str) -> Mistake:
    lines: dict[str, list[str]] = {mark: [] for mark in "#-+?@>"}
    for line in block.splitlines():
        mark, _, rest = line.partition(" ")
        lines[mark].append(rest)
    (name,), (path,), (remedy,) = lines["#"], lines["@"], lines[">"]
    marker = (lines["?"] or lines["+"])[-1]
    return Mistake(name, "\n".join(lines["-"]), "\n".join(lines["+"]), marker, path, remedy)


_TEXT = Path(__file__).with_name("mistakes.txt").read_text(encoding="utf-8")
MISTAKES = [_mistake(block) for block in _TEXT.split("\n\n") if block.startswith("# ")]
