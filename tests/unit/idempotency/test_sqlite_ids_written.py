"""Rules for when filters are written and when they go; nothing else waits for either."""

from __future__ import annotations

import sqlite3

import pytest

from tests.unit.idempotency.files import STRETCH, File, an_id


def test_without_room_on_the_disk_a_filter_waits(file: File) -> None:
    """Nothing fails by that; and what is written once is not written twice."""
    file.ids.next = STRETCH - 1
    file.put(1)
    file.connection.execute("PRAGMA max_page_count = 1")
    file.commit()
    assert file.written() == []
    file.connection.execute("PRAGMA max_page_count = 1000")
    file.commit()
    assert file.written() == [0]
    file.connection.execute("DELETE FROM filters")
    file.commit()
    assert file.written() == []


def test_a_filter_that_cannot_be_written_is_told(file: File) -> None:
    """It is only a full disk that will have room again."""
    file.ids.next = STRETCH - 1
    file.put(1)
    file.connection.execute("DROP TABLE filters")
    with pytest.raises(sqlite3.OperationalError, match="filters"):
        file.ids.write()


def test_after_each_commit_one_filter_is_written(file: File) -> None:
    """Calls wait behind it: after a damage there may be many."""
    for at in (1, STRETCH, 2 * STRETCH, 3 * STRETCH):
        file.put(at, at=at)
    file.again()
    for written in ([0], [0, 1], [0, 1, 2], [0, 1, 2]):
        file.ids.write()
        assert file.written() == written


@pytest.mark.parametrize("again", [False, True])
def test_filters_go_though_their_rows_went_while_they_were_the_newest(
    file: File, again: bool
) -> None:
    """Where few calls come, all of a stretch is purged before the next one is full. It is seen
    later, by whatever is purged then; a roll-back does not hide it.
    """
    for stretch in range(1, 5):
        file.ids.next = stretch * STRETCH - 1
        last = file.put(stretch)
        file.connection.execute("DELETE FROM calls")
        file.ids.delete([last])
        file.commit()
        if again:
            file.again()
    file.connection.execute("BEGIN")
    file.ids.delete([])
    file.connection.execute("ROLLBACK")
    file.ids.undo()
    file.ids.delete([])
    file.commit()
    file.ids.delete([])
    file.commit()
    assert file.written() == [3]
    assert [file.ids.may_have(an_id(number)) for number in (1, 2, 3)] == [False] * 3


def test_it_says_whether_it_wrote(file: File) -> None:
    """One stretch at a time, until all are written."""
    for at in (1, STRETCH, 2 * STRETCH):
        file.put(at, at=at)
    file.again()
    assert [file.ids.write() for _ in range(3)] == [True, True, False]
    assert file.written() == [0, 1]
