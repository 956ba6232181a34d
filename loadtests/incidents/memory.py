"""How much memory a process came to hold while it was watched."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Self

from loadtests.incidents.metrics import rss_bytes

_EVERY_S = 0.25
_MIB = 1024 * 1024


class MemoryWatch:
    """`async with` it: samples a process's resident memory, and keeps the first and the peak."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._first = self._peak = rss_bytes(pid)
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._sample())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @property
    def first_mib(self) -> float:
        """Resident memory when the watch began."""
        return self._first / _MIB

    @property
    def growth_mib(self) -> float:
        """From the first sample to the peak."""
        return (self._peak - self._first) / _MIB

    async def _sample(self) -> None:
        while True:
            await asyncio.sleep(_EVERY_S)
            self._peak = max(self._peak, rss_bytes(self._pid))
