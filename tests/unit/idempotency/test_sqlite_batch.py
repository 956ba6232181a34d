"""Rules for the rows in hand: seldom read, written by few statements, and never stale."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from proxy.idempotency.record import JournalError, Record, State
from tests.unit.idempotency.batches import Bench, row


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


def test_a_new_row_is_not_looked_for(bench: Bench) -> None:
    """Nor one at work; one that has ended is, once in a batch."""
    bench.batch.begin(alone=False)
    assert bench.batch.load(row(1).id) is None
    bench.batch.save(row(1))
    bench.batch.save(row(2, State.SETTLED))
    bench.batch.flush()
    bench.batch.begin(alone=False)
    bench.said.clear()
    assert bench.batch.load(row(1).id) == row(1)
    assert bench.batch.load(row(3).id) is None
    assert bench.said == []
    for _ in range(2):
        assert bench.batch.load(row(2).id) == row(2, State.SETTLED)
    assert len(bench.said) == 1


def test_what_was_read_is_of_one_batch_only(bench: Bench) -> None:
    """The file may have another answer in the next."""
    bench.batch.save(row(1, State.SETTLED))
    bench.batch.flush()
    assert bench.batch.load(row(1).id) == row(1, State.SETTLED)
    bench.connection.execute("UPDATE calls SET blocked = 7")
    bench.batch.begin(alone=False)
    assert bench.batch.load(row(1).id) == replace(row(1, State.SETTLED), blocked=7)


def test_a_roll_back_leaves_what_the_file_has(bench: Bench) -> None:
    """Neither a changed row nor one at work outlives it."""
    bench.batch.save(row(1))
    bench.batch.flush()
    bench.batch.begin(alone=False)
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
        bench.batch.begin(alone=True)
        if bench.batch.may_add(row(1).id):
            bench.batch.add(row(1))
        else:
            assert bench.batch.load(row(1).id) == row(1)
            bench.batch.save(row(1, state, note="ended"))
        bench.batch.flush()
        assert len(bench.said) == 1
    assert bench.rows() == {1: row(1, State.SETTLED, note="ended")}


def test_a_row_that_is_there_may_not_be_added(bench: Bench) -> None:
    """Whether it is at work or has ended; neither may one that shares its batch with others."""
    bench.batch.save(row(1, State.SETTLED))
    bench.batch.save(row(2))
    bench.batch.flush()
    bench.batch.begin(alone=True)
    assert [bench.batch.may_add(row(number).id) for number in (1, 2, 3)] == [False, False, True]
    bench.batch.begin(alone=False)
    assert not bench.batch.may_add(row(3).id)


@pytest.mark.parametrize("alone", [True, False])
def test_a_changed_row_that_the_file_lacks_is_put_there(bench: Bench, alone: bool) -> None:
    """Whatever was believed of it."""
    bench.batch.begin(alone=alone)
    bench.batch.save(row(1))
    bench.batch.flush()
    assert bench.rows() == {1: row(1)}


def test_text_that_is_none_is_refused_before_it_is_added(bench: Bench) -> None:
    """And nothing is in hand that the file lacks."""
    bench.batch.begin(alone=True)
    with pytest.raises(JournalError, match="lone surrogate"):
        bench.batch.add(row(1, note="a\ud800"))
    assert bench.batch.may_add(row(1).id)
    assert bench.stored(row(1).id) is None


def test_alone_it_is_never_stale(bench: Bench) -> None:
    """Against a plain dictionary, batches of one row and of more in turn."""
    chance = random.Random(20261122)
    stored: dict[bytes, Record] = {}
    states = list(State)
    for turn in range(2000):
        count = chance.choice((1, 1, 1, 3))
        numbers = chance.sample(range(40), count)
        bench.batch.begin(alone=count == 1)
        for number in numbers:
            made = row(number, chance.choice(states), note=str(turn))
            if bench.batch.may_add(made.id):
                assert made.id not in stored
                bench.batch.add(made)
            else:
                assert bench.batch.load(made.id) == stored.get(made.id)
                bench.batch.save(made)
            stored[made.id] = made
        bench.batch.flush()
        _agrees(bench, stored)
    assert len(stored) == 40


def _agrees(bench: Bench, expected: dict[bytes, Record]) -> None:
    """The file has these rows, each once, and those at work where they are looked for."""
    rows = bench.rows()
    assert {each.id: each for each in rows.values()} == expected
    assert len(rows) == len(expected)
    at_work = [
        number for number, each in rows.items() if each.state in (State.CLAIMED, State.SENDING)
    ]
    assert bench.batch.working_from() <= min(at_work, default=1 << 60)


def test_it_is_never_stale(bench: Bench) -> None:
    """Against a plain dictionary, over many turns of batches, roll-backs and changes outside."""
    chance = random.Random(20261121)
    stored: dict[bytes, Record] = {}
    held: dict[bytes, Record] = {}
    states = list(State)
    for turn in range(2000):
        bench.batch.begin(alone=False)
        for number in [chance.randrange(40) for _ in range(chance.randrange(6))]:
            made = row(number, chance.choice(states), note=str(turn))
            assert bench.batch.load(made.id) == held.get(made.id)
            bench.batch.save(made)
            held[made.id] = made
        match chance.randrange(4):
            case 0:
                bench.batch.undo()
                held = dict(stored)
            case 1 | 2:
                bench.batch.flush()
                stored = dict(held)
                _agrees(bench, stored)
    assert len(stored) == 40
