"""Rules for finding what is due without reading everything each second."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from proxy.idempotency.looking import Looking
from proxy.idempotency.record import Record
from proxy.idempotency.store import Query
from proxy.idempotency.watches import Watches
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import DOUBT, fence, wanted


class Counted(MemoryStore):
    """Counts the rows that it gave away."""

    read_rows = 0
    all_mine = True

    async def find(self, query: Query) -> Sequence[Record]:
        found = await super().find(query)
        self.all_mine = self.all_mine and query.mine
        self.read_rows += len(found)
        return found


class Room:
    """Rows in doubt; those with a key that begins with `k` may be asked about."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.store = Counted(self.clock)
        self.watches = Watches(random.Random(1))
        self.looking = Looking(self.store, self.clock.now, self.watches, self._is_open)

    @staticmethod
    def _is_open(row: Record) -> bool:
        return row.scope.key.startswith("k")

    async def doubt(self, key: str, upstream: str = "a") -> None:
        """A row in doubt."""
        _, row = await self.store.claim(wanted(key))
        await self.store.step(row.id, row.token, fence(upstream=upstream))
        await self.store.step(row.id, row.token, DOUBT)

    async def due(self) -> dict[str, list[str]]:
        """Keys that are due, by upstream; each is asked about, without success."""
        found = await self.looking.due()
        for rows in found.values():
            for row in rows:
                now = self.clock.now()
                self.watches.back_off(self.watches.of(row, now), now)
        return {name: [row.scope.key for row in rows] for name, rows in found.items()}


async def test_rows_are_due_by_upstream_and_the_oldest_first() -> None:
    """Those of which nothing can be known are left out."""
    room = Room()
    for key, upstream in (("k1", "a"), ("x1", "a"), ("k2", "b"), ("k3", "a")):
        await room.doubt(key, upstream)
        room.clock.advance(0.1)
    assert await room.due() == {"a": ["k1", "k3"], "b": ["k2"]}
    assert await room.due() == {}
    assert room.store.all_mine, "other sidecars look after theirs"


async def test_rows_that_wait_for_an_operator_are_not_read_each_second() -> None:
    """Else a thousand of them would cost as much as a thousand calls."""
    room = Room()
    for number in range(300):
        await room.doubt(f"x{number}")
    room.clock.advance(10.0)
    for _ in range(60):
        await room.looking.due()
        room.clock.advance(1.0)
    assert room.store.read_rows <= 300 * 7


async def test_a_new_doubt_is_seen_at_the_next_look() -> None:
    """However many old ones there are."""
    room = Room()
    for number in range(300):
        await room.doubt(f"x{number}")
    for _ in range(18):
        await room.due()
        room.clock.advance(1.0)
    room.store.read_rows = 0
    await room.doubt("k1")
    assert await room.due() == {"a": ["k1"]}
    assert room.store.read_rows == 1


@pytest.mark.parametrize("ours", [True, False])
async def test_a_doubt_with_a_time_of_the_past_is_seen(ours: bool) -> None:
    """At once when our wall clock was set back, soon when it was another's."""
    room = Room()
    await room.doubt("x1")
    await room.due()
    room.clock.wall_jump_s = -90_000.0
    await room.doubt("k1")
    room.clock.wall_jump_s = -90_000.0 if ours else 0.0
    seen = []
    for _ in range(2 if ours else 11):
        seen.append(await room.due())
        room.clock.advance(1.0)
    assert {"a": ["k1"]} in seen


async def test_rows_that_ended_are_forgotten() -> None:
    """At the next look at all of them."""
    room = Room()
    await room.doubt("k1")
    await room.due()
    room.store.rows.clear()
    room.clock.advance(60.0)
    assert await room.due() == {}
    assert not room.watches.any_due(room.clock.now() + 1000.0)
