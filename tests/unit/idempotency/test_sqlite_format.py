"""Rules for files of earlier releases: what they remember stays, and a failure changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.idempotency.record import State
from proxy.idempotency.sqlite_format import prepare
from proxy.idempotency.sqlite_ids import Ids
from proxy.idempotency.sqlite_open import connect
from proxy.idempotency.sqlite_read import find, named, unsettled
from proxy.idempotency.store import Query
from proxy.model.errors import StartError
from tests.support.older_journal import older
from tests.unit.idempotency.tables import stored
from tests.unit.idempotency.values import row

STATES = [State.SETTLED, State.SENDING, State.IN_DOUBT, State.CLAIMED]
ROWS = [row(state, id=bytes([number]) * 16) for number, state in enumerate(STATES)]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the file is."""
    return tmp_path / "j.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    """To a file without tables."""
    made = connect(path)
    yield made
    made.close()


def indexes(connection: sqlite3.Connection) -> set[str]:
    """The names of all indexes."""
    found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index'").fetchall()
    return {name for (name,) in found if not name.startswith("sqlite_autoindex_meta")}


def test_a_new_file_gets_its_tables(path: Path, connection: sqlite3.Connection) -> None:
    """And had been open for no time."""
    assert prepare(connection, path) == 0.0
    assert stored(connection) == {}
    found = dict(connection.execute("SELECT name, value FROM meta").fetchall())
    assert found == {"version": 3}


@pytest.mark.parametrize("version", [1, 2])
def test_a_file_of_an_earlier_release_is_rewritten(
    path: Path, connection: sqlite3.Connection, version: int
) -> None:
    """With its rows and their numbers, its time, and the indexes of a new file alone."""
    older(connection, version, ROWS)
    said: list[str] = []
    assert prepare(connection, path, said.append) == 7.5
    assert said == [f"rewriting the journal {path} of an earlier release: 4 rows, some 1 s"]
    assert stored(connection) == {1: ROWS[0], 3: ROWS[1], 5: ROWS[2], 7: ROWS[3]}
    assert indexes(connection) == {
        "calls_block_id", "calls_block_key", "calls_in_doubt", "calls_link_request",
        "calls_link_answer",
    }  # fmt: skip
    ids = Ids(connection)
    assert [found[0] for found in map(ids.find, [each.id for each in ROWS]) if found] == [
        1, 3, 5, 7,
    ]  # fmt: skip
    assert prepare(connection, path, said.append) == 7.5
    assert len(stored(connection)) == 4
    assert len(said) == 1


@pytest.mark.parametrize("version", [1, 2])
def test_such_a_file_is_read_before_that_too(
    path: Path, connection: sqlite3.Connection, version: int
) -> None:
    """An operator may ask it while no sidecar runs."""
    older(connection, version, ROWS)
    at_work = (State.CLAIMED, State.SENDING, State.IN_DOUBT)
    by_id = sorted(find(path, Query(states=at_work)), key=lambda each: each.id)
    assert by_id == ROWS[1:]
    assert named(path, ROWS[2].id.hex()) == [ROWS[2]]
    assert len(named(path, "k1")) == 4
    assert len(unsettled(path, 5.0)) == 3


def test_without_room_the_file_stays_as_it_was(path: Path, connection: sqlite3.Connection) -> None:
    """And is rewritten when there is room."""
    many = [row(State.SETTLED, id=number.to_bytes(16, "big")) for number in range(200)]
    older(connection, 2, many)
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 5}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        prepare(connection, path)
    assert not connection.in_transaction
    assert "calls_open" in indexes(connection)
    assert len(find(path, Query())) == 200
    connection.execute("PRAGMA max_page_count = 100000")
    prepare(connection, path)
    assert len(stored(connection)) == 200
    assert "calls_open" not in indexes(connection)


def test_a_file_of_this_format_is_not_written_to(
    path: Path, connection: sqlite3.Connection
) -> None:
    """So a full disk does not keep it from being opened."""
    prepare(connection, path)
    before = connection.total_changes
    log = path.with_name("j.db-wal").stat().st_size
    prepare(connection, path)
    assert connection.total_changes == before
    assert path.with_name("j.db-wal").stat().st_size == log


def test_a_format_that_nobody_knows_is_refused(path: Path, connection: sqlite3.Connection) -> None:
    """With both versions, and nothing is changed."""
    prepare(connection, path)
    connection.execute("UPDATE meta SET value = 99 WHERE name = 'version'")
    with pytest.raises(StartError, match=r"format 99, this release reads 3"):
        prepare(connection, path)
