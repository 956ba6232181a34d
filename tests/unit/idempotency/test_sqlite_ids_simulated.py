"""The ids of rows against a plain dictionary."""

from __future__ import annotations

import random

import pytest

from proxy.idempotency import id_filter, sqlite_ids
from tests.unit.idempotency.files import File


@pytest.mark.parametrize("few_max", [0, 4])
def test_against_a_plain_dictionary(
    file: File, monkeypatch: pytest.MonkeyPatch, few_max: int
) -> None:
    """With stretches of 32 rows: many turns of additions, roll-backs, purges and starts."""
    monkeypatch.setattr(sqlite_ids, "SHIFT", 5)
    monkeypatch.setattr(sqlite_ids, "BLOCKS", 2)
    monkeypatch.setattr(sqlite_ids, "BLOCK_SHIFT", 4)
    monkeypatch.setattr(sqlite_ids, "_FEW_MAX", few_max)
    monkeypatch.setattr(id_filter, "BLOCKS", 2)
    monkeypatch.setattr(id_filter, "BLOCK_SHIFT", 4)
    for name in ("_IDS", "FIND"):
        smaller = getattr(sqlite_ids, name).replace("number >> 12", "number >> 4")
        monkeypatch.setattr(sqlite_ids, name, smaller)
    file.again()
    chance = random.Random(7)
    rows: dict[int, int] = {}
    for turn in range(600):
        before = dict(rows)
        file.connection.execute("BEGIN")
        for _ in range(chance.randrange(12)):
            number = chance.randrange(100_000)
            if number in rows:
                continue
            assert file.found(number) is None
            rows[number] = file.put(number)
        if chance.random() < 0.3:
            gone = [each for each in rows if chance.random() < 0.5]
            places = [rows.pop(each) for each in gone]
            file.connection.executemany(
                "DELETE FROM calls WHERE number = ?", [(each,) for each in places]
            )
            file.ids.delete(places)
        if chance.random() < 0.2:
            file.connection.execute("ROLLBACK")
            file.ids.undo()
            rows = before
        else:
            file.connection.execute("COMMIT")
        file.ids.durable()
        file.ids.write()
        if chance.random() < 0.1:
            file.again()
        for number in chance.sample(sorted(rows), min(len(rows), 5)):
            assert file.found(number) == rows[number], turn
    assert file.ids.next > 1000
