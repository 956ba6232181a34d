"""Rules for counting what keys have blocked."""

from __future__ import annotations

import asyncio

import pytest

from proxy.idempotency import blocked
from proxy.idempotency.blocked import Blocked
from proxy.idempotency.record import State
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import row


def store_with_a_row() -> MemoryStore:
    """A store that has one row, settled."""
    store = MemoryStore(ManualClock())
    store.rows[row(State.SETTLED).id] = row(State.SETTLED)
    return store


def counted(store: MemoryStore) -> tuple[int, float]:
    """What the only row says of its duplicates."""
    (found,) = store.rows.values()
    return found.blocked, found.blocked_at


async def test_counts_are_gathered_and_written_by_themselves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One write for many duplicates, and state and token stay as they are."""
    monkeypatch.setattr(blocked, "WRITE_AFTER_S", 0.0)
    store = store_with_a_row()
    before = row(State.SETTLED)
    noted = Blocked(store, asyncio.get_running_loop())
    for wall in (5.0, 7.0, 6.0):
        noted.note(before.id, 1, wall)
    assert counted(store) == (0, 0.0)
    async with asyncio.timeout(5.0):
        while counted(store)[0] == 0:
            await asyncio.sleep(0)
    assert counted(store) == (3, 7.0)
    (after,) = store.rows.values()
    assert (after.state, after.token) == (before.state, before.token)
    await noted.close(1.0)


async def test_what_the_store_does_not_take_is_kept() -> None:
    """And written with what came since."""
    store = store_with_a_row()
    noted = Blocked(store, asyncio.get_running_loop())
    noted.note(row(State.SETTLED).id, 2, 5.0)
    store.down = True
    await noted.write()
    store.down = False
    noted.note(row(State.SETTLED).id, 1, 6.0)
    await noted.close(1.0)
    assert counted(store) == (3, 6.0)


async def test_a_disk_that_hangs_does_not_hold_up_the_end() -> None:
    """The counts of the last second are lost with it."""
    store = store_with_a_row()
    store.gate = asyncio.Event()
    noted = Blocked(store, asyncio.get_running_loop())
    noted.note(row(State.SETTLED).id, 1, 5.0)
    await noted.close(0.0)
    assert counted(store) == (0, 0.0)


async def test_a_slow_disk_is_not_asked_twice_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes meanwhile is gathered for the write after it."""
    monkeypatch.setattr(blocked, "WRITE_AFTER_S", 0.0)
    store = store_with_a_row()
    store.gate = asyncio.Event()
    noted = Blocked(store, asyncio.get_running_loop())
    for wall in (5.0, 6.0):
        noted.note(row(State.SETTLED).id, 1, wall)
        for _ in range(10):
            await asyncio.sleep(0)
    store.gate.set()
    await noted.close(5.0)
    assert counted(store) == (2, 6.0)


async def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows beyond the bound are not counted; those that are counted go on."""
    monkeypatch.setattr(blocked, "ROWS_MAX", 1)
    store = store_with_a_row()
    noted = Blocked(store, asyncio.get_running_loop())
    for _ in range(2):
        noted.note(row(State.SETTLED).id, 1, 5.0)
        noted.note(b"another row here", 1, 5.0)
    assert len(noted._counts) == 1
    await noted.close(1.0)
    assert counted(store) == (2, 5.0)
