"""Writes log lines without ever making a call wait.

Lines are gathered for a moment and written by a thread of their own: whoever
reads our standard output may stop reading for as long as it likes. What does
not fit is dropped and counted.
"""

from __future__ import annotations

import asyncio
import os
import queue
import threading

_GATHER_S = 0.05
_BATCHES_MAX = 256
_LINES_PER_BATCH_MAX = 4096


class LineWriter:
    """Gathers lines (bytes, each with its newline) and writes them to a file descriptor."""

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._batches: queue.Queue[bytes | None] = queue.Queue(_BATCHES_MAX)
        self._flush_planned = False
        self._thread = threading.Thread(target=self._write, name="log", daemon=True)
        self._thread.start()
        self.dropped = 0

    def write(self, line: bytes) -> None:
        """Take one line; never blocks."""
        if len(self._lines) >= _LINES_PER_BATCH_MAX:
            self._flush()
        self._lines.append(line)
        if not self._flush_planned:
            self._flush_planned = True
            self._loop.call_later(_GATHER_S, self._flush)

    def close(self, within_s: float = 1.0) -> None:
        """Write what was gathered, if it can be written in time."""
        self._flush()
        try:
            self._batches.put(None, timeout=within_s)
        except queue.Full:
            return
        self._thread.join(within_s)

    def _flush(self) -> None:
        self._flush_planned = False
        lines, self._lines = self._lines, []
        if not lines:
            return
        try:
            self._batches.put_nowait(b"".join(lines))
        except queue.Full:
            self.dropped += len(lines)

    def _write(self) -> None:
        while (batch := self._batches.get()) is not None:
            view = memoryview(batch)
            while view:
                try:
                    view = view[os.write(self._descriptor, view) :]
                except OSError:
                    self.dropped += bytes(view).count(b"\n")
                    break
