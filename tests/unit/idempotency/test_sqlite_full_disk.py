"""Rules for the last pages of a disk: what fits is done, once, and what is told is true."""

from __future__ import annotations

import pytest

from proxy.idempotency.record import State, Verdict
from proxy.idempotency.sqlite import SqliteStore
from tests.unit.idempotency.disks import Disk
from tests.unit.idempotency.files import STRETCH
from tests.unit.idempotency.values import DOUBT, RELEASE, fence, wanted


def _full_at_the_end_of_a_stretch(store: SqliteStore) -> None:
    """The next row fills the stretch, and its filters do not fit any more."""
    store._rows._ids.next = STRETCH - 1
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count = {pages + 10}")


async def test_a_fence_that_fits_is_not_made_twice(disk: Disk) -> None:
    """Though it is the last row of a stretch: it is in the file, and whoever sends is told so."""
    store = disk.open()
    _, row = await store.claim(wanted(fence=fence()))
    await store.step(row.id, row.token, DOUBT)
    _full_at_the_end_of_a_stretch(store)
    sent = await store.step(row.id, row.token, fence(attempt=2))
    assert (sent.state, sent.attempt, store.takes_claims) == (State.SENDING, 2, True)
    assert await store.read(row.id) == sent


@pytest.mark.parametrize("again", [False, True])
async def test_a_claim_that_fits_is_told(disk: Disk, again: bool) -> None:
    """A new key, and one that was released: none is at work of which nobody knows."""
    store = disk.open()
    if again:
        _, row = await store.claim(wanted())
        await store.step(row.id, row.token, RELEASE)
    _full_at_the_end_of_a_stretch(store)
    verdict, row = await store.claim(wanted())
    assert verdict is Verdict.RUN
    assert await store.read(row.id) == row
