"""Rules for the statements: every column is named once, and no statement is too big."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest

from proxy.idempotency.rows import COLUMNS
from proxy.idempotency.sqlite_schema import BOUNDS, CHANGE, FIND, KEPT, SAVES
from tests.unit.idempotency.tables import make_tables


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    """The tables, in memory."""
    made = sqlite3.connect(":memory:")
    make_tables(made)
    yield made
    made.close()


def test_each_statement_saves_as_many_rows_as_it_says(connection: sqlite3.Connection) -> None:
    """One row is always possible, and the smallest limit of parameters that there is holds."""
    assert list(SAVES) == sorted(SAVES, reverse=True)
    assert 1 in SAVES
    for count, statement in SAVES.items():
        assert statement.count("?") == count * (1 + len(COLUMNS)) <= 999
        rows = [[count * 100 + at, f"{count}-{at}", *COLUMNS[1:]] for at in range(count)]
        connection.execute(statement, [value for row in rows for value in row])
    found = connection.execute("SELECT count(*) FROM calls").fetchone()
    assert found == (sum(SAVES),)


def test_a_change_leaves_whose_row_it_is(connection: sqlite3.Connection) -> None:
    """Its id and its scope; every other column is what it is said to be."""
    assert COLUMNS[:KEPT] == ("id", "tenant", "scope_group", "operation", "idem_key")
    connection.execute(SAVES[1], (7, *COLUMNS))
    after = [f"new {name}" for name in COLUMNS[KEPT:]]
    assert connection.execute(CHANGE, [*after, 7]).rowcount == 1
    assert connection.execute(CHANGE, [*after, 8]).rowcount == 0
    found = connection.execute(FIND, [0, "id"]).fetchall()
    assert found == [(7, *COLUMNS[:KEPT], *after)]


def test_a_row_is_found_in_its_block_and_in_no_other(connection: sqlite3.Connection) -> None:
    """By the index alone, and so in no time."""
    numbers = (1, 4095, 4096, 8191, 8192)
    for number in numbers:
        connection.execute(SAVES[1], (number, f"id {number}", *COLUMNS[1:]))
    found = [connection.execute(FIND, [1, f"id {each}"]).fetchone() is not None for each in numbers]
    assert found == [False, False, True, True, False]
    (plan,) = connection.execute(f"EXPLAIN QUERY PLAN {FIND}", [1, "x"]).fetchall()
    assert plan[3] == "SEARCH calls USING INDEX calls_block_id (<expr>=? AND id=?)"


def test_the_first_and_the_last_number_are_found_without_reading_all(
    connection: sqlite3.Connection,
) -> None:
    """A start asks for them, with a file that is on the disk alone."""
    assert connection.execute(BOUNDS).fetchone() == (None, None)
    for number in (7, 9, 8):
        connection.execute(SAVES[1], (number, f"id {number}", *COLUMNS[1:]))
    assert connection.execute(BOUNDS).fetchone() == (7, 9)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {BOUNDS}").fetchall()
    assert [step[3] for step in plan if "calls" in step[3]] == ["SEARCH calls", "SEARCH calls"]


def test_two_rows_of_a_block_cannot_have_one_id(connection: sqlite3.Connection) -> None:
    """Should a filter ever lie about the newest rows, SQLite refuses."""
    connection.execute(SAVES[1], (1, *COLUMNS))
    with pytest.raises(sqlite3.IntegrityError, match="calls_block_id"):
        connection.execute(SAVES[1], (2, *COLUMNS))
