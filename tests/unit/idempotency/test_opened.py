"""Rules for a journal whatever its store is."""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency.journal import Journal
from proxy.idempotency.opened import purge
from proxy.idempotency.store import StoreUnavailable
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore


async def test_what_ended_long_ago_is_purged_a_little_at_a_time() -> None:
    """Again at once while there is more, else once a minute; a journal that is away is left."""
    answers: list[int | Exception] = [500, 20, 0, StoreUnavailable(), 1]
    asked: list[tuple[float, int]] = []
    slept: list[float] = []

    class Rows(MemoryStore):
        """Tells how many rows it deleted."""

        async def purge(self, kept_s: float, limit: int) -> int:
            asked.append((kept_s, limit))
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if not answers:
            raise asyncio.CancelledError

    store = Rows(ManualClock())
    journal = Journal(store, asyncio.get_running_loop(), 1.0, lambda _: None)
    with pytest.raises(asyncio.CancelledError):
        await purge(journal, 3600.0, sleep)
    assert asked == [(3600.0, 500)] * 5
    assert slept == [1.0, 1.0, 60.0, 60.0, 1.0]
