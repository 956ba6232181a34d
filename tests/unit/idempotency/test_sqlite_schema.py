"""Rules for the statements: every column is named once, and no statement is too big."""

from __future__ import annotations

import sqlite3

import pytest

from proxy.idempotency.rows import COLUMNS
from proxy.idempotency.sqlite_schema import CHANGE, KEPT, SAVES, SCHEMA, reads


@pytest.fixture
def connection() -> sqlite3.Connection:
    """The tables, in memory."""
    made = sqlite3.connect(":memory:")
    made.executescript(SCHEMA)
    return made


def test_each_statement_saves_as_many_rows_as_it_says(connection: sqlite3.Connection) -> None:
    """One row is always possible, and the smallest limit of parameters that there is holds."""
    assert list(SAVES) == sorted(SAVES, reverse=True)
    assert 1 in SAVES
    for count, statement in SAVES.items():
        assert statement.count("?") == count * len(COLUMNS) <= 999
        rows = [[f"{count}-{number}", *COLUMNS[1:]] for number in range(count)]
        connection.execute(statement, [value for row in rows for value in row])
    found = connection.execute("SELECT count(*) FROM calls").fetchone()
    assert found == (sum(SAVES),)


def test_a_change_leaves_whose_row_it_is(connection: sqlite3.Connection) -> None:
    """Its id and its scope; every other column is what it is said to be."""
    assert COLUMNS[:KEPT] == ("id", "tenant", "scope_group", "operation", "idem_key")
    connection.execute(SAVES[1], COLUMNS)
    after = [f"new {name}" for name in COLUMNS[KEPT:]]
    assert connection.execute(CHANGE, [*after, "id"]).rowcount == 1
    assert connection.execute(CHANGE, [*after, "another"]).rowcount == 0
    statement, padding = reads(1)
    found = connection.execute(statement, ["id", *padding]).fetchall()
    assert found == [(*COLUMNS[:KEPT], *after)]


@pytest.mark.parametrize("count", [1, 2, 3, 17, 256])
def test_a_reading_fits_its_parameters(connection: sqlite3.Connection, count: int) -> None:
    """Those that are left over find nothing."""
    connection.execute(SAVES[1], COLUMNS)
    statement, padding = reads(count)
    wanted = [*[f"x{number}" for number in range(count - 1)], "id"]
    assert connection.execute(statement, [*wanted, *padding]).fetchall() == [COLUMNS]


def test_there_are_few_different_readings() -> None:
    """Each is compiled once and kept."""
    assert len({reads(count)[0] for count in range(1, 257)}) == 9
