"""Keeps incidents and what is usual on the disk, beside the journal, over a restart.

One write at a time, also where the task that asked for the last one is gone: two at once would
leave a file of both. What is written can be read again: the oldest incidents that
ended give way where all together would be too large.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from proxy.health import record
from proxy.health.health import Health
from proxy.model.checked_file import BYTES_MAX, FileError, damaged, read, write

_NAME = "incidents"
_EVERY_S = 1.0
_ANYWAY_S = 600.0
"""What is usual is learned slowly."""
_AGAIN_S = 10.0
_CONTENT_BYTES_MAX = BYTES_MAX * 3 // 4
"""Of the incidents; the rest is for what is usual, and for how a file is indented."""


class Keeper:
    """`path` None keeps nothing. `trouble` says why a restart would not know what is open."""

    def __init__(self, health: Health, path: Path | None) -> None:
        self._health = health
        self._path = path
        self._written = 0
        self._waited_s = 0.0
        self._writing: asyncio.Future[None] | None = None
        self.trouble = ""

    def recall(self) -> tuple[str, ...]:
        """What an earlier run kept; notes for whoever starts this one."""
        if self._path is None:
            return ()
        try:
            self._adopt(read(self._path, _NAME))
        except FileError as error:
            self.trouble = str(error)
            return (f"the file of incidents: {error}",)
        return ()

    def _adopt(self, found: Any) -> None:
        assert self._path is not None
        if found is None:
            return
        try:
            self._health.incidents.adopt([record.read(each) for each in found["incidents"]])
            for route, learned in found["usual"].items():
                if route in self._health.silences:
                    self._health.silences[route].recall(learned)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise damaged(self._path) from None

    async def run(self, sleep: Callable[[float], Any] = asyncio.sleep) -> None:
        """Write what is new, until it is cancelled."""
        while self._path is not None:
            await sleep(_EVERY_S)
            self._waited_s += _EVERY_S
            changed = self._health.incidents.version != self._written
            due = self._waited_s >= (_AGAIN_S if self.trouble else _EVERY_S)
            if (changed and due) or self._waited_s >= _ANYWAY_S:
                await self.write()

    async def write(self) -> None:
        """Now. A disk that cannot take it is told, and asked again."""
        if self._path is None:
            return
        while self._writing is not None and not self._writing.done():
            await asyncio.wait({self._writing})
        self._waited_s = 0.0
        version, content = self._health.incidents.version, self._content()
        loop = asyncio.get_running_loop()
        self._writing = loop.run_in_executor(None, _write, self._path, content)
        try:
            await asyncio.shield(self._writing)
        except FileError as error:
            self.trouble = str(error)
        else:
            self._written, self.trouble = version, ""

    def _content(self) -> dict[str, Any]:
        health = self._health
        return {
            "incidents": [record.document(each) for each in health.incidents.all.values()],
            "usual": {route: each.learned() for route, each in health.silences.items()},
        }


def _write(path: Path, content: dict[str, Any]) -> None:
    """In a thread: what is measured here may be megabytes. Raises FileError."""
    write(path, _NAME, content | {"incidents": _fitting(content["incidents"])})


def _fitting(incidents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Those that fit, the newest first asked; the oldest first told."""
    left, kept = _CONTENT_BYTES_MAX, []
    for each in reversed(incidents):
        size = len(json.dumps(each, indent=1))
        if size <= left:
            left -= size
            kept.append(each)
    return kept[::-1]
