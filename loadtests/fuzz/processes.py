"""Child processes with a pipe, and a watcher of a stream too long to keep."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

SPAWN = multiprocessing.get_context("spawn")
JOIN_S = 10.0


@contextmanager
def child(target: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """A child process that gets a pipe as its last argument; it is over when this exits."""
    ours, theirs = SPAWN.Pipe()
    process = SPAWN.Process(target=target, args=(*arguments, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        yield ours
        process.join(JOIN_S)
    finally:
        if process.is_alive():
            process.kill()
        process.join()
        ours.close()


@contextmanager
def children(target: Callable[..., None], calls: Sequence[tuple[Any, ...]]) -> Iterator[list[Any]]:
    """Run `target` once per tuple of arguments, side by side; yields what each sent back."""
    with contextlib.ExitStack() as running:
        pipes = [running.enter_context(child(target, *arguments)) for arguments in calls]
        yield [pipe.recv() for pipe in pipes]


class Watcher:
    """Reads a pipe to its end in a thread and counts what must not stand in it.

    Give `descriptor` to a child as its standard output, then call `child_has_it`.
    """

    def __init__(self, needles: Sequence[bytes]) -> None:
        self._needles = tuple(needles)
        self._overlap = max(map(len, needles))
        self._source, self.descriptor = os.pipe()
        self.found: dict[bytes, bytes] = {}
        """The first place of each needle that was met, with what stands around it."""
        self.bytes_read = 0
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def child_has_it(self) -> None:
        """Close our end for writing, so that the child's exit ends the stream."""
        os.close(self.descriptor)

    def join(self) -> None:
        """Wait for the end of the stream."""
        self._thread.join()
        os.close(self._source)

    def _read(self) -> None:
        kept = b""
        while block := os.read(self._source, 1 << 16):
            self.bytes_read += len(block)
            text = kept + block
            for needle in self._needles:
                at = text.find(needle)
                if at >= 0:
                    self.found.setdefault(needle, text[max(0, at - 300) : at + 300])
            kept = text[-self._overlap :]
