"""One JSON file, replaced as a whole and synced; a digest says whether it is what was written."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
from pathlib import Path
from typing import Any

_SCHEMA = 1
BYTES_MAX = 4 * 1024 * 1024
"""More is not ours."""
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
_READ = os.O_RDONLY | os.O_NONBLOCK
"""A pipe in the file's place must not hold up the start."""


class FileError(Exception):
    """It cannot be used, or not be written; the text names it and says why."""


def write(path: Path, name: str, content: Any) -> None:
    """Put `content` in the place of what was there, on the disk. Raises FileError."""
    document = {"schema": _SCHEMA, name: content, "sha256": digest(content)}
    beside = path.with_name(path.name + ".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(os.open(beside, _WRITE, 0o600), "w", encoding="utf-8") as file:
            json.dump(document, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
        _sync(path.parent)
    except OSError as error:
        with contextlib.suppress(OSError):
            beside.unlink()
        raise FileError(f"{path} cannot be written: {error.strerror}") from None


def read(path: Path, name: str) -> Any:
    """What was written, or None where nothing was yet. Raises FileError."""
    try:
        with open(os.open(path, _READ), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise damaged(path)
            text = file.read(BYTES_MAX)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FileError(f"{path} cannot be read: {error.strerror}") from None
    try:
        document = json.loads(text)
        content = document[name]
        if document["schema"] != _SCHEMA or document["sha256"] != digest(content):
            raise damaged(path)
    except (KeyError, TypeError, ValueError, RecursionError):
        raise damaged(path) from None
    return content


def damaged(path: Path) -> FileError:
    """It is not what was written, whatever made it so."""
    return FileError(f"{path} is damaged; it is not used")


def digest(content: object) -> str:
    """Over the meaning of the content."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _sync(folder: Path) -> None:
    """The replacement itself, which is an entry of the folder."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
