"""Writes log lines without ever making a call wait.

Lines are gathered for a moment and written by a thread of their own: whoever
reads our standard output may stop reading for as long as it likes. What waits
is bounded in bytes, since it grows while nobody reads; what does not fit is
dropped and counted.
"""

from __future__ import annotations

import asyncio
import os
import queue
import select
import threading

_GATHER_S = 0.05
_LINES_PER_BATCH_MAX = 4096
WAITING_BYTES_MAX = 16 * 1024 * 1024
"""About 40,000 lines: seconds of full load, and no danger to the memory limit of a sidecar."""


class LineWriter:
    """Gathers lines (bytes, each with its newline) and writes them to a file descriptor.

    Each counter is written by one thread alone: the loop's or the writing one.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, descriptor: int) -> None:
        self._loop = loop
        self._descriptor = descriptor
        self._lines: list[bytes] = []
        self._batches: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._flush_planned = False
        self._handed_bytes = 0
        self._finished_bytes = 0
        self._dropped_here = 0
        self._dropped_there = 0
        self._writer = threading.Thread(target=self._write, name="log", daemon=True)
        self._writer.start()

    @property
    def dropped(self) -> int:
        """Lines that were lost, for want of a reader or by an error of the file."""
        return self._dropped_here + self._dropped_there

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
        self._batches.put(None)
        self._writer.join(within_s)

    def _flush(self) -> None:
        self._flush_planned = False
        lines, self._lines = self._lines, []
        if not lines:
            return
        batch = b"".join(lines)
        if self._handed_bytes - self._finished_bytes + len(batch) > WAITING_BYTES_MAX:
            self._dropped_here += len(lines)
            return
        self._handed_bytes += len(batch)
        self._batches.put(batch)

    def _write(self) -> None:
        """The thread. After an error within a line, the next one begins on a line of its own."""
        torn = b""
        while (batch := self._batches.get()) is not None:
            data = torn + batch
            left = _write_all(self._descriptor, data)
            if left:
                untouched = len(left) == len(data)
                self._dropped_there += left.count(b"\n") - (len(torn) if untouched else 0)
                if not untouched:
                    torn = b"" if data[-len(left) - 1 : -len(left)] == b"\n" else b"\n"
            else:
                torn = b""
            self._finished_bytes += len(batch)


def _write_all(descriptor: int, data: bytes) -> bytes:
    """Write all of `data`, waiting for a reader if need be; returns what an error left over."""
    view = memoryview(data)
    while view:
        try:
            written = os.write(descriptor, view)
            view = view[written:]
        except BlockingIOError:  # whoever shares our stdout may have made it non-blocking
            writable = select.poll()
            writable.register(descriptor, select.POLLOUT)
            writable.poll()
        except OSError:
            break
    return bytes(view)
