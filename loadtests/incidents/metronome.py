"""Calls a function at instants fixed in advance, to about 0.1 ms.

An event loop's timers are no use here: libuv and epoll count in whole
milliseconds, which is twice the bar for our own share of the latency. A
thread that sleeps and then wakes the loop overshoots by some 60 µs.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence


class Metronome:
    """Runs `beat(index)` in the loop at each of `instants` (monotonic, ascending)."""

    def __init__(self, instants: Sequence[float], beat: Callable[[int], None]) -> None:
        self._instants = instants
        self._beat = beat
        self._loop = asyncio.get_running_loop()
        self._finished = asyncio.Event()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metronome", daemon=True)

    async def run(self) -> None:
        """Beat until the last instant; cancelled, stop beating."""
        self._thread.start()
        try:
            await self._finished.wait()
        finally:
            self._stopped.set()

    def _run(self) -> None:
        for index, instant in enumerate(self._instants):
            wait_s = instant - time.monotonic()
            if wait_s > 0:
                time.sleep(wait_s)
            if self._stopped.is_set():
                return
            self._loop.call_soon_threadsafe(self._beat, index)
        self._loop.call_soon_threadsafe(self._finished.set)
