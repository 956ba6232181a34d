"""Rules for where rows at work stand: at the end of the table, and it is known from where on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.idempotency.record import State
from proxy.idempotency.sqlite_schema import SET_META
from tests.unit.idempotency.batches import Bench, row


@pytest.fixture
def bench() -> Iterator[Bench]:
    """Tables without rows."""
    made = Bench()
    yield made
    made.connection.close()


@pytest.mark.parametrize("alone", [True, False])
def test_a_row_that_comes_to_work_again_goes_to_the_end(bench: Bench, alone: bool) -> None:
    """All of it or nothing; one that stays at work, or that ends, stays where it is."""
    bench.batch.save(row(1, State.IN_DOUBT))
    bench.batch.save(row(2, State.RELEASED))
    bench.batch.save(row(3))
    bench.batch.flush()
    for number in (1, 2, 3):
        bench.batch.begin(alone=alone)
        assert bench.batch.load(row(number).id) is not None
        bench.batch.save(row(number))
        bench.batch.flush()
    assert bench.rows() == {3: row(3), 4: row(1), 5: row(2)}
    bench.batch.begin(alone=alone)
    bench.batch.save(row(1, State.SETTLED))
    bench.batch.flush()
    assert bench.rows() == {3: row(3), 4: row(1, State.SETTLED), 5: row(2)}


def test_a_row_that_moves_twice_in_a_batch_is_there_once(bench: Bench) -> None:
    """The number between was never in the file."""
    bench.batch.save(row(1, State.IN_DOUBT))
    bench.batch.flush()
    bench.batch.begin(alone=False)
    for state in (State.SENDING, State.IN_DOUBT, State.SENDING):
        bench.batch.save(row(1, state))
    bench.batch.flush()
    assert list(bench.rows().values()) == [row(1)]


def test_it_knows_from_where_on_rows_are_at_work(bench: Bench) -> None:
    """Also after a roll-back and a change outside, which take from it what it had in hand."""
    assert bench.batch.working_from() == 1
    for number in range(1, 5):
        bench.batch.save(row(number))
    bench.batch.save(row(2, State.SETTLED))
    bench.batch.flush()
    assert bench.batch.working_from() == 1
    bench.batch.save(row(1, State.IN_DOUBT))
    bench.batch.flush()
    assert bench.batch.working_from() == 3
    bench.connection.execute(SET_META, ("working_from", 3))
    bench.batch.forget([row(3).id, row(4).id])
    assert bench.batch.working_from() == 3
    bench.batch.begin(alone=False)
    bench.batch.save(row(3, State.SETTLED))
    bench.batch.undo()
    bench.batch.begin(alone=False)
    bench.batch.save(row(4, State.SETTLED))
    bench.batch.flush()
    assert bench.batch.working_from() == 3
    bench.batch.save(row(3, State.SETTLED))
    bench.batch.flush()
    assert bench.batch.working_from() == 5


def test_a_row_added_alone_is_at_work(bench: Bench) -> None:
    """For whoever asks from where on rows are."""
    assert bench.batch.working_from() == 1
    bench.batch.begin(alone=True)
    bench.batch.add(row(1))
    bench.batch.flush()
    assert bench.batch.working_from() == 1
