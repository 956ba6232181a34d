"""The last addresses that worked, on the disk, so that a start in a DNS outage serves.

One JSON file, replaced as a whole; a digest says whether it is what was
written. A snapshot is a help, never a condition: one that is missing, damaged or
too old is told and not used, and one that cannot be written stops nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from proxy.dns.answers import literal

_SCHEMA = 1


class SnapshotError(Exception):
    """It cannot be used, or not be written; the text says why."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """What was known of a name; `good_at` is wall time."""

    ipv4: tuple[str, ...]
    ipv6: tuple[str, ...]
    good_at: float


def write(path: Path, names: Mapping[str, Remembered]) -> None:
    """Put this in the place of what was there, on the disk. Raises SnapshotError."""
    content = {
        name: {"ipv4": list(each.ipv4), "ipv6": list(each.ipv6), "good_at": each.good_at}
        for name, each in sorted(names.items())
    }
    document = {"schema": _SCHEMA, "names": content, "sha256": _digest(content)}
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise SnapshotError(f"{path} cannot be written: {error.strerror}") from None


def read(path: Path) -> dict[str, Remembered]:
    """What was written; nothing where nothing was yet. Raises SnapshotError."""
    try:
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise SnapshotError(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise SnapshotError(f"{path} is damaged; it is not used") from None
    try:
        content = document["names"]
        if document["schema"] != _SCHEMA or document["sha256"] != _digest(content):
            raise ValueError
        return {name: _remembered(each) for name, each in content.items()}
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise SnapshotError(f"{path} is damaged; it is not used") from None


def _remembered(content: dict[str, Any]) -> Remembered:
    ipv4, ipv6 = tuple(content["ipv4"]), tuple(content["ipv6"])
    if any(literal(address) is None for address in (*ipv4, *ipv6)):
        raise ValueError
    good_at = float(content["good_at"])
    if not math.isfinite(good_at):
        raise ValueError
    return Remembered(ipv4, ipv6, good_at)


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
