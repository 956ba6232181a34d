"""Rules for looking at what has no end."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from proxy.idempotency.record import State
from proxy.idempotency.watch import EVERY_S, watch
from proxy.model.unsettled import Unsettled
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import NOW, row


async def test_it_tells_every_ten_seconds_and_bears_a_journal_that_is_away() -> None:
    """Old is what was sent before the alarm."""
    store = MemoryStore(ManualClock())
    lost = row(State.IN_DOUBT)
    store.rows[lost.id] = lost
    told: list[Sequence[Unsettled]] = []
    slept: list[float] = []
    walls = iter((NOW.wall + 299.0, NOW.wall + 309.0, NOW.wall + 319.0))

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        store.down = len(slept) == 1
        if len(slept) == 3:
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await watch(store, lambda: next(walls), 300.0, told.append, sleep)
    assert slept == [EVERY_S] * 3
    known = ("in_doubt", "acme", "a", "authorize", 1, NOW.wall)
    assert told == [[Unsettled(*known, 0)], [Unsettled(*known, 1)]]
