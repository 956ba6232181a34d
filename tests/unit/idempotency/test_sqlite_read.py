"""Rules for reading a journal file beside the sidecar that holds it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from proxy.idempotency.record import State
from proxy.idempotency.rows import values
from proxy.idempotency.sqlite import _SAVE, _SCHEMA
from proxy.idempotency.sqlite_read import counts, find, reading
from proxy.idempotency.store import Query
from tests.unit.idempotency.values import row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one row."""
    connection = sqlite3.connect(tmp_path / "j #1.db")
    connection.executescript(_SCHEMA)
    connection.execute(_SAVE, values(row(State.SETTLED)))
    connection.commit()
    connection.close()
    return tmp_path / "j #1.db"


def test_rows_are_read(path: Path) -> None:
    """Whatever characters the path has."""
    assert find(path, Query()) == [row(State.SETTLED)]
    assert counts(path) == {State.SETTLED: 1}


def test_nothing_can_be_written(path: Path) -> None:
    """Not by mistake either."""
    with reading(path) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM calls")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """An operator who mistypes a name must not read an empty journal."""
    with pytest.raises(sqlite3.OperationalError):
        find(tmp_path / "none.db", Query())
    assert list(tmp_path.iterdir()) == []
