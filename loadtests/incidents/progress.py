"""Says on stderr what a replay is doing: one line that moves on a terminal, few lines elsewhere."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

_TICK_S = 1.0
_TICK_PLAIN_S = 10.0


class Progress:
    """The progress of one replay; `name` starts every line."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._began_at = time.monotonic()
        self._moving = sys.stderr.isatty()

    def say(self, text: str) -> None:
        """One thing that happened, with the seconds since the replay began."""
        self._write(text, end="\n")

    @asynccontextmanager
    async def watching(
        self, text: str, seconds: float, figure: Callable[[], str]
    ) -> AsyncIterator[None]:
        """Show how far a run of about `seconds` is, with a figure, until it is over."""
        task = asyncio.create_task(self._tick(text, seconds, figure))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _tick(self, text: str, seconds: float, figure: Callable[[], str]) -> None:
        began_at = time.monotonic()
        while True:
            await asyncio.sleep(_TICK_S if self._moving else _TICK_PLAIN_S)
            elapsed_s = time.monotonic() - began_at
            line = f"{text}: {elapsed_s:.0f} of about {seconds:.0f} s, {figure()}"
            self._write(line, end="\r" if self._moving else "\n")

    def _write(self, text: str, end: str) -> None:
        elapsed_s = time.monotonic() - self._began_at
        line = f"[{self._name} {elapsed_s:6.1f} s] {text}"
        print(f"\x1b[2K{line}" if self._moving else line, end=end, file=sys.stderr, flush=True)
