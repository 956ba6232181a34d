"""What operators have said, on the disk, so that a restart does not silently undo it.

One that is damaged is told and not used: the sidecar starts by its
configuration alone, and somebody has to know that. It is kept until something
is written in its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proxy.model import checked_file
from proxy.model.standing import Kind

_LASTS_MAX_S = 7 * 86_400.0
"""As the admin listener takes it, whatever a file says that nobody should have written."""
_TEXTS = ("route", "upstream", "reason", "by")
_NUMBERS = ("since", "until", "lasts_s")


@dataclass(frozen=True, slots=True)
class Kept:
    """One order by the wall clock."""

    kind: Kind
    route: str
    upstream: str
    reason: str
    by: str
    since: float
    until: float
    lasts_s: float


def write(path: Path, orders: Iterable[Kept]) -> None:
    """Put these in the place of what was there, on the disk. Raises FileError."""
    checked_file.write(path, "overrides", [asdict(each) for each in orders])


def read(path: Path) -> list[Kept]:
    """What was written; nothing where nothing was yet. Raises FileError."""
    content = checked_file.read(path, "overrides")
    try:
        return [_kept(each) for each in content or []]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise checked_file.damaged(path) from None


def _kept(content: dict[str, Any]) -> Kept:
    route, upstream, reason, by = (_text(content[name]) for name in _TEXTS)
    since, until, lasts_s = (float(content[name]) for name in _NUMBERS)
    kind = Kind(content["kind"])
    if not all(map(math.isfinite, (since, until, lasts_s))) or (kind is Kind.FORCE) != bool(route):
        raise ValueError
    return Kept(kind, route, upstream, reason, by, since, until, min(lasts_s, _LASTS_MAX_S))


def _text(found: object) -> str:
    if not isinstance(found, str) or not found.isprintable():
        raise ValueError
    return found
