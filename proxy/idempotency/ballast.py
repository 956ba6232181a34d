"""Room kept back on the disk, so that when it is full the answers in flight still fit."""

from __future__ import annotations

import os
from pathlib import Path

BALLAST_BYTES = 16 * 1024 * 1024
"""512 calls in flight with answers of 32 KiB; larger ones are rare among payments."""


class Ballast:
    """A file of that size; `release` gives its room back, `restore` takes it again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.held = self.restore()

    def release(self) -> bool:
        """Delete it; whether there was one."""
        held, self.held = self.held, False
        try:
            self._path.unlink()
        except OSError:
            return False
        return held

    def restore(self) -> bool:
        """Allocate it; False when the disk has no room for it."""
        try:
            with open(self._path, "wb") as file:
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
        except OSError:
            self._path.unlink(missing_ok=True)
            return False
        self.held = True
        return True
