"""Rules for the rows in hand: read by one statement, written by few, and never stale."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from dataclasses import replace

import pytest

from proxy.idempotency.record import JournalError, Record, Scope, State
from proxy.idempotency.rows import record
from proxy.idempotency.sqlite_batch import Batch
from proxy.idempotency.sqlite_schema import READ, SCHEMA


def row(number: int, state: State = State.SENDING, note: str = "") -> Record:
    """A row that is like no other."""
    return Record(
        number.to_bytes(16, "big"), Scope("t", "g", "charge", f"k{number}"), b"f", state, 1, "o",
        "c", 1.0, 1.0, 1.0, note=note,
    )  # fmt: skip


class Bench:
    """A file's tables in memory, and what is said to them."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        self.connection.executescript(SCHEMA)
        self.said: list[str] = []
        self.connection.set_trace_callback(self.said.append)
        self.batch = Batch(self.connection)

    def stored(self, row_id: bytes) -> Record | None:
        """What the file has."""
        found = self.connection.execute(READ, (row_id,)).fetchone()
        return None if found is None else record(found)


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Tables without rows."""
    made = Bench()
    yield made
    made.connection.close()


@pytest.mark.parametrize("count", [1, 2, 3, 31, 32, 33, 63, 256])
def test_all_rows_of_a_flush_are_stored_by_few_statements(bench: Bench, count: int) -> None:
    """New ones and changed ones; a row that changed twice is written once, as it is now."""
    for number in range(count):
        bench.batch.save(row(number, State.CLAIMED))
        bench.batch.save(row(number))
    assert bench.stored(row(0).id) is None
    bench.said.clear()
    bench.batch.flush()
    assert len(bench.said) <= count // 32 + 5
    for number in range(count):
        bench.batch.save(row(number, State.SETTLED, note="é"))
    bench.batch.flush()
    assert [bench.stored(row(number).id) for number in range(count)] == [
        row(number, State.SETTLED, note="é") for number in range(count)
    ]


@pytest.mark.parametrize("count", [2, 3, 8, 100, 256])
def test_rows_are_read_ahead_by_one_statement(bench: Bench, count: int) -> None:
    """Those that there are, and that there are no others."""
    for number in range(0, count, 2):
        bench.batch.save(row(number, State.SETTLED))
    bench.batch.flush()
    bench.said.clear()
    bench.batch.begin([row(number).id for number in range(count)], alone=False)
    for number in range(count):
        expected = None if number % 2 else row(number, State.SETTLED)
        assert bench.batch.load(row(number).id) == expected
    assert len(bench.said) == 1


def test_what_was_read_ahead_is_of_one_batch_only(bench: Bench) -> None:
    """The file may have another answer in the next."""
    bench.batch.begin([row(1).id, row(2).id], alone=False)
    bench.connection.execute("SELECT 1")
    other = Batch(bench.connection)
    other.save(row(1, State.SETTLED))
    other.flush()
    bench.batch.begin([], alone=False)
    assert bench.batch.load(row(1).id) == row(1, State.SETTLED)


def test_a_roll_back_leaves_what_the_file_has(bench: Bench) -> None:
    """Neither a changed row nor one at work outlives it."""
    bench.batch.save(row(1))
    bench.batch.flush()
    bench.batch.begin([row(2).id, row(3).id], alone=False)
    bench.batch.save(row(1, State.SETTLED))
    bench.batch.save(row(2))
    bench.batch.undo()
    assert bench.batch.load(row(1).id) == row(1)
    assert bench.batch.load(row(2).id) is None
    bench.batch.flush()
    assert bench.stored(row(1).id) == row(1)


def test_a_row_changed_in_the_file_is_read_again(bench: Bench) -> None:
    """Once it is said to be."""
    bench.batch.save(row(1))
    bench.batch.flush()
    bench.connection.execute("UPDATE calls SET blocked = 7")
    bench.batch.forget([row(1).id])
    assert bench.batch.load(row(1).id) == replace(row(1), blocked=7)


def test_text_that_is_none_is_refused_and_spoils_nothing(bench: Bench) -> None:
    """A lone surrogate would fail the statement, and with it every row of the batch."""
    bench.batch.save(row(1))
    with pytest.raises(JournalError, match="lone surrogate"):
        bench.batch.save(row(2, note="a\ud800"))
    bench.batch.flush()
    assert bench.stored(row(1).id) == row(1)
    assert bench.batch.load(row(2).id) is None


def test_a_new_row_alone_is_one_statement_and_so_is_its_change(bench: Bench) -> None:
    """Nobody looks for it before."""
    for state in (State.SENDING, State.SETTLED):
        bench.said.clear()
        bench.batch.begin([row(1).id], alone=True)
        if bench.batch.may_add(row(1).id):
            assert bench.batch.add(row(1))
        else:
            assert bench.batch.load(row(1).id) == row(1)
            bench.batch.save(row(1, state, note="ended"))
        bench.batch.flush()
        assert len(bench.said) == 1
    assert bench.stored(row(1).id) == row(1, State.SETTLED, note="ended")


def test_a_row_that_is_there_is_not_added(bench: Bench) -> None:
    """It stays as it is, whether it is at work or has ended."""
    bench.batch.save(row(1, State.SETTLED))
    bench.batch.save(row(2))
    bench.batch.flush()
    bench.batch.begin([row(1).id], alone=True)
    assert bench.batch.may_add(row(1).id)
    assert not bench.batch.add(row(1, note="another"))
    assert bench.batch.load(row(1).id) == row(1, State.SETTLED) == bench.stored(row(1).id)
    bench.batch.begin([row(2).id], alone=True)
    assert not bench.batch.may_add(row(2).id)


def test_rows_that_share_a_batch_are_looked_for(bench: Bench) -> None:
    """They are read and written together."""
    bench.batch.begin([row(1).id, row(2).id], alone=False)
    assert not bench.batch.may_add(row(1).id)


def test_a_changed_row_that_the_file_lacks_is_put_there(bench: Bench) -> None:
    """Whatever was believed of it."""
    bench.batch.begin([row(1).id], alone=True)
    bench.batch.save(row(1))
    bench.batch.flush()
    assert bench.stored(row(1).id) == row(1)


def test_text_that_is_none_is_refused_before_it_is_added(bench: Bench) -> None:
    """And nothing is in hand that the file lacks."""
    bench.batch.begin([row(1).id], alone=True)
    with pytest.raises(JournalError, match="lone surrogate"):
        bench.batch.add(row(1, note="a\ud800"))
    assert bench.batch.may_add(row(1).id)
    assert bench.stored(row(1).id) is None


def test_alone_it_is_never_stale() -> None:
    """Against a plain dictionary, batches of one row and of more in turn."""
    chance = random.Random(20261122)
    bench = Bench()
    stored: dict[bytes, Record] = {}
    states = list(State)
    for turn in range(2000):
        count = chance.choice((1, 1, 1, 3))
        numbers = chance.sample(range(40), count)
        bench.batch.begin([row(number).id for number in numbers], alone=count == 1)
        for number in numbers:
            made = row(number, chance.choice(states), note=str(turn))
            if bench.batch.may_add(made.id) and bench.batch.add(made):
                assert made.id not in stored
            else:
                assert bench.batch.load(made.id) == stored.get(made.id)
                bench.batch.save(made)
            stored[made.id] = made
        bench.batch.flush()
        assert all(bench.stored(row(number).id) == stored[row(number).id] for number in numbers)
    bench.connection.close()
    assert len(stored) == 40


def test_it_is_never_stale() -> None:
    """Against a plain dictionary, over many turns of batches, roll-backs and changes outside."""
    chance = random.Random(20261121)
    bench = Bench()
    stored: dict[bytes, Record] = {}
    held: dict[bytes, Record] = {}
    states = list(State)
    for turn in range(2000):
        ids = [row(chance.randrange(40)).id for _ in range(chance.randrange(6))]
        bench.batch.begin(ids, alone=False)
        for row_id in ids:
            assert bench.batch.load(row_id) == held.get(row_id)
            made = row(int.from_bytes(row_id), chance.choice(states), note=str(turn))
            bench.batch.save(made)
            held[row_id] = made
        match chance.randrange(4):
            case 0:
                bench.batch.undo()
                held = dict(stored)
            case 1 | 2:
                bench.batch.flush()
                stored = dict(held)
    bench.connection.close()
    assert len(stored) == 40
