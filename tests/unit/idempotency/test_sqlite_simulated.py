"""The embedded store against a plain dictionary, with stretches of 32 rows."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from proxy.idempotency import id_filter, sqlite, sqlite_format, sqlite_ids, sqlite_read
from proxy.idempotency.record import Instant
from proxy.idempotency.sqlite_schema import SCHEMA
from proxy.idempotency.sqlite_upkeep import purge
from tests.unit.idempotency.plain import ByHand, Plain


class _NoBallast:
    """The pages of the file are counted instead."""

    def __init__(self, _: Path) -> None:
        self.release = bool


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stretches and blocks are short, ids share many bits, and nothing happens by itself."""
    places = id_filter.places

    def few_places(row_id: bytes) -> tuple[int, ...]:
        return tuple(place & 0x1FF for place in places(row_id))

    for module, name, value in (
        (sqlite_ids, "SHIFT", 5), (sqlite_ids, "BLOCKS", 2), (sqlite_ids, "BLOCK_SHIFT", 4),
        (sqlite_ids, "_FEW_MAX", 6), (sqlite_ids, "BYTES", 65536),
        (sqlite_ids, "places", few_places),
        (id_filter, "BLOCKS", 2), (id_filter, "BLOCK_SHIFT", 4), (id_filter, "_ALL_BYTES", 32768),
        (id_filter, "_BLOCK_BYTES", 16384), (id_filter, "_BLOCK_PLACE", 0x1FF),
        (id_filter, "places", few_places), (sqlite, "_KEPT_EVERY_S", 3600.0),
        (sqlite, "Writer", ByHand), (sqlite, "Ballast", _NoBallast),
    ):  # fmt: skip
        monkeypatch.setattr(module, name, value)
    for module, name in ((sqlite_ids, "_IDS"), (sqlite_ids, "FIND"), (sqlite_read, "_IN_BLOCKS")):
        monkeypatch.setattr(module, name, _shorter(getattr(module, name)))
    monkeypatch.setattr(sqlite_format, "SCHEMA", tuple(map(_shorter, SCHEMA)))

    def whole_purge(
        connection: sqlite3.Connection, before: float, limit: int, _: int
    ) -> tuple[list[int], int]:
        return purge(connection, before, limit, 0)[0], 0

    monkeypatch.setattr(sqlite, "purge", whole_purge)

    def instant(store: sqlite.SqliteStore) -> Instant:
        return Instant(store._wall(), store._wall())

    monkeypatch.setattr(sqlite.SqliteStore, "instant", instant)


def _shorter(statement: str) -> str:
    return statement.replace(">> 12", ">> 4")


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("seed", [17, 20])
async def test_against_a_plain_dictionary(seed: int, tmp_path: Path) -> None:
    """No key that is in the file is taken for a new one, and no row at work is forgotten: by
    batches of any size, full disks, roll-backs, purges, starts, crashes and damaged filters.
    """
    plain = Plain(seed, tmp_path)
    try:
        for _ in range(300):
            await _turn(plain)
            if plain.chance.random() < 0.1:
                plain.look_closely()
                await _again(plain)
                plain.look()
                plain.look_closely()
    finally:
        await plain.store.close()
    assert plain.crashes > 5


async def _turn(plain: Plain) -> None:
    chance = plain.chance
    plain.now += chance.choice((0.0, 1.0, 5.0))
    if chance.random() < 0.4:
        plain.writer.full = False
        plain.room(chance.choice((chance.randrange(12), 100_000)))
    kinds = (plain.claim, plain.step, plain.purge, plain.note_blocked, plain.reseal, plain.note)
    changes = []
    for kind in chance.choices(kinds, (40, 45, 3, 4, 2, 4), k=chance.choice((1, 1, 2, 8, 30))):
        changes.append(kind() if plain.rows else plain.claim())
        await asyncio.sleep(0)  # it is submitted
    await plain.agree(changes)
    plain.look()


async def _again(plain: Plain) -> None:
    """A crash, or a start on filters of which some are harmed."""
    if plain.chance.random() < 0.5:  # the newest rows may go, and with them what they show
        await plain.agree(plain.ends())
        changes = [plain.note(), plain.purge(-1.0)]
        await asyncio.sleep(0)
        await plain.agree(changes)
    if plain.chance.random() < 0.6:
        await plain.crash()
        return
    await plain.store.close()
    with closing(sqlite3.connect(plain.path)) as connection, connection:
        harm = plain.chance.choice(
            ("DELETE FROM filters", "UPDATE filters SET bits = zeroblob(65536)")
        )
        connection.execute(f"{harm} WHERE stretch % 3 = {plain.chance.randrange(6)}")
    plain.open()
