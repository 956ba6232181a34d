"""The last addresses that worked, on the disk, so that a start in a DNS outage serves.

A snapshot is a help, never a condition: one that is missing, damaged or
too old is told and not used, and one that cannot be written stops nothing.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.dns.answers import literal
from proxy.model import checked_file


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was known of a name; `good_at` is wall time."""

    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    good_at: float


def write(path: Path, names: Mapping[str, Remembered]) -> None:
    """Put this in the place of what was there, on the disk. Raises FileError."""
    content = {
        name: {"ipv4": list(each.ipv4), "ipv6": list(each.ipv6), "good_at": each.good_at}
        for name, each in sorted(names.items())
    }
    checked_file.write(path, "names", content)


def read(path: Path) -> dict[str, Remembered]:
    """What was written; nothing where nothing was yet. Raises FileError."""
    content = checked_file.read(path, "names")
    try:
        return {name: _remembered(each) for name, each in (content or {}).items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise checked_file.damaged(path) from None


def _remembered(content: dict[str, Any]) -> Remembered:
    ipv4, ipv6 = tuple(content["ipv4"]), tuple(content["ipv6"])
    if any(literal(address) is None for address in (*ipv4, *ipv6)):
        raise ValueError
    good_at = float(content["good_at"])
    if not math.isfinite(good_at):
        raise ValueError
    return Remembered(ipv4, ipv6, good_at)
