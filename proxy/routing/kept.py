"""What operators have said, on the disk, so that a restart does not silently undo it.

One JSON file, replaced as a whole and synced; a digest says whether it is what
was written. One that is damaged is told and not used: the sidecar starts by its
configuration alone, and somebody has to know that. It is kept until something
is written in its place.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from proxy.model.standing import Kind

_SCHEMA = 1
_BYTES_MAX = 4 * 1024 * 1024
"""Far above one order for each of a thousand names; more is not ours."""
_LASTS_MAX_S = 7 * 86_400.0
"""As the admin listener takes it, whatever a file says that nobody should have written."""
_TEXTS = ("route", "upstream", "reason", "by")
_NUMBERS = ("since", "until", "lasts_s")


class KeptError(Exception):
    """It cannot be used, or not be written; the text says why."""


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
    """Put these in the place of what was there, on the disk. Raises KeptError."""
    content = [asdict(each) for each in orders]
    document = {"schema": _SCHEMA, "overrides": content, "sha256": _digest(content)}
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(beside, "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise KeptError(f"{path} cannot be written: {error.strerror}") from None


def read(path: Path) -> list[Kept]:
    """What was written; nothing where nothing was yet. Raises KeptError."""
    try:
        with open(path, "rb") as file:
            text = file.read(_BYTES_MAX)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeptError(f"{path} cannot be read: {error.strerror}") from None
    try:
        document = json.loads(text)
        content = document["overrides"]
        if document["schema"] != _SCHEMA or document["sha256"] != _digest(content):
            raise ValueError
        return [_kept(each) for each in content]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
        raise KeptError(f"{path} is damaged; it is not used") from None


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


def _sync(folder: Path) -> None:
    """The replacement itself, which is an entry of the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
