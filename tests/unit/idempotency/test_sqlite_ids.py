"""Rules for finding rows by id: a row that the file has is always found, whatever happened."""

from __future__ import annotations

import pytest

from proxy.idempotency import sqlite_ids
from proxy.idempotency.sqlite_read import WORKING_FROM
from proxy.idempotency.sqlite_schema import SET_META
from tests.unit.idempotency.files import STRETCH, File, an_id


def test_rows_are_found_and_others_are_not(file: File) -> None:
    """Now and after a start; numbers count up from one."""
    assert [file.put(number) for number in range(100)] == list(range(1, 101))
    for _ in range(2):
        assert [file.found(number) for number in range(100)] == list(range(1, 101))
        assert file.found(101) is None
        assert file.ids.next == 101
        file.again()


def test_a_full_stretch_is_written_once_it_is_flushed(file: File) -> None:
    """And asked from then on as before, from memory and from the file."""
    file.put(1)
    file.ids.next = STRETCH - 2
    assert [file.put(number) for number in range(2, 7)] == [
        STRETCH - 2, STRETCH - 1, STRETCH, STRETCH + 1, STRETCH + 2,
    ]  # fmt: skip
    assert file.written() == []
    file.commit()
    assert file.written() == [0]
    for _ in range(2):
        assert [file.found(number) for number in range(1, 7)] == [
            1, STRETCH - 2, STRETCH - 1, STRETCH, STRETCH + 1, STRETCH + 2,
        ]  # fmt: skip
        file.again()


ANOTHERS = (
    "UPDATE filters SET bits = (SELECT bits FROM filters WHERE stretch = 0), "
    "check_sum = (SELECT check_sum FROM filters WHERE stretch = 0)"
)


@pytest.mark.parametrize(
    "harm",
    ["DELETE FROM filters", "UPDATE filters SET bits = zeroblob(length(bits))",
     "UPDATE filters SET bits = substr(bits, 2)", "UPDATE filters SET check_sum = 1",
     ANOTHERS, "UPDATE filters SET bits = NULL", "UPDATE filters SET bits = 'text'"],
)  # fmt: skip
def test_a_filter_that_is_missing_or_damaged_is_made_from_the_rows(file: File, harm: str) -> None:
    """A key must never be taken for a new one."""
    for at in (1, STRETCH - 1, STRETCH, 2 * STRETCH + 5, 2 * STRETCH + 6):
        file.put(at, at=at)
    file.again()
    file.commit()
    file.connection.execute(harm)
    file.again()
    assert [file.found(at) for at in (1, STRETCH - 1, STRETCH, 2 * STRETCH + 5)] == [
        1, STRETCH - 1, STRETCH, 2 * STRETCH + 5,
    ]  # fmt: skip
    assert file.ids.next == 2 * STRETCH + 7
    file.commit()
    assert file.written() == [0, 1]


def test_stretches_without_rows_have_no_filter(file: File) -> None:
    """A payment in doubt may stand alone behind millions of rows that were purged."""
    file.put(1, at=1)
    file.put(2, at=1000 * STRETCH)
    file.again()
    file.commit()
    assert file.written() == [0]
    assert (file.found(1), file.found(2)) == (1, 1000 * STRETCH)


def test_no_number_is_used_again_in_a_stretch_whose_filter_is_written(file: File) -> None:
    """Not even when all its rows are gone: the filter would not know the new ones."""
    file.ids.next = STRETCH - 1
    last = file.put(1)
    file.commit()
    file.connection.execute("DELETE FROM calls")
    file.ids.delete([last])
    file.ids.durable()
    assert file.written() == [0]
    file.again()
    assert file.put(2) == STRETCH
    file.again()
    assert file.found(2) == STRETCH


def test_no_number_is_below_that_from_which_rows_at_work_are_looked_for(file: File) -> None:
    """Though the rows that had those numbers are gone: a start would not find the new ones."""
    file.put(1)
    file.connection.execute(SET_META, (WORKING_FROM, STRETCH + 7))
    file.again()
    assert file.put(2) == STRETCH + 7
    file.again()
    assert (file.found(1), file.found(2)) == (1, STRETCH + 7)


def test_a_filter_goes_with_its_last_row(file: File) -> None:
    """Once that is durable, and not before: a roll-back brings the rows back."""
    for at in (5, 6, STRETCH + 5, 2 * STRETCH + 5):
        file.put(at, at=at)
    file.again()
    file.commit()
    assert file.written() == [0, 1]
    file.connection.execute("DELETE FROM calls WHERE number = 5")
    file.ids.delete([5])
    file.ids.durable()
    assert file.written() == [0, 1]
    file.connection.execute("BEGIN")
    file.connection.execute("DELETE FROM calls WHERE number = 6")
    file.ids.delete([6])
    assert file.ids.may_have(an_id(6))
    file.connection.execute("ROLLBACK")
    file.ids.undo()
    file.ids.durable()
    assert file.found(6) == 6
    file.connection.execute("DELETE FROM calls WHERE number = 6")
    file.ids.delete([6])
    file.ids.durable()
    assert file.written() == [1]
    assert not file.ids.may_have(an_id(6))
    assert file.found(STRETCH + 5) == STRETCH + 5


def test_a_filter_that_was_never_written_may_go_too(file: File) -> None:
    """Nothing of it is left to write."""
    file.put(1, at=1)
    file.put(2, at=STRETCH)
    file.put(3, at=2 * STRETCH)
    file.again()
    file.connection.execute("DELETE FROM calls WHERE number = 1")
    file.ids.delete([1])
    file.ids.durable()
    file.commit()
    assert file.written() == [1]


def test_a_row_is_found_where_it_moved_to(file: File) -> None:
    """The filter of where it was goes on to say maybe."""
    before = file.put(1)
    file.ids.next = 3 * STRETCH
    file.connection.execute("DELETE FROM calls WHERE number = ?", (before,))
    after = file.put(1)
    assert file.found(1) == after
    file.again()
    assert file.found(1) == after == 3 * STRETCH


def test_of_few_rows_that_are_left_the_ids_are_kept(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no filter, in memory or in the file; each until it is gone, too."""
    monkeypatch.setattr(sqlite_ids, "_FEW_MAX", 2)
    for at in (1, 2, 3, 4, STRETCH, STRETCH + 1, STRETCH + 2, 2 * STRETCH):
        file.put(at, at=at)
    file.again()
    file.commit()
    assert file.written() == [0, 1]
    for gone, written in ((1, [0, 1]), (2, [1]), (3, [1])):
        file.connection.execute("DELETE FROM calls WHERE number = ?", (gone,))
        file.ids.delete([gone])
        file.commit()
        assert file.written() == written
    assert [file.found(at) for at in (1, 2, 3, 4, STRETCH)] == [None, None, None, 4, STRETCH]
    assert [file.ids.may_have(an_id(at)) for at in (3, 4)] == [False, True]
    file.again()
    assert [file.found(at) for at in (3, 4, STRETCH)] == [None, 4, STRETCH]
    assert [file.ids.may_have(an_id(at)) for at in (3, 4)] == [False, True]


def test_few_rows_are_kept_once_that_is_durable(
    file: File, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A roll-back leaves the filter, and what moves in the same transaction is not kept."""
    monkeypatch.setattr(sqlite_ids, "_FEW_MAX", 2)
    for at in (1, 2, 3, STRETCH, 2 * STRETCH):
        file.put(at, at=at)
    file.again()
    file.commit()
    for last in ("ROLLBACK", "COMMIT"):
        file.connection.execute("BEGIN")
        file.connection.execute("DELETE FROM calls WHERE number IN (1, 2)")
        file.ids.delete([1])
        file.ids.delete([2])
        moved = file.put(2)
        file.ids.write()
        file.connection.execute(last)
        if last == "ROLLBACK":
            file.ids.undo()
        file.ids.durable()
    assert [file.found(at) for at in (1, 2, 3)] == [None, moved, 3]
    file.again()
    assert [file.found(at) for at in (1, 2, 3)] == [None, moved, 3]
