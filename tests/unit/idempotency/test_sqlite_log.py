"""Rules for when what was written ahead is brought into the table's file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from proxy.idempotency.sqlite_log import BACKSTOP, PAGES_MAX, Log
from proxy.idempotency.sqlite_open import connect


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """To a file with a table, all of which is in the table's file already."""
    made = connect(tmp_path / "j.db")
    made.execute("CREATE TABLE t (x)")
    made.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    yield made
    made.close()


def _in_file(tmp_path: Path) -> bool:
    """Whether the table's file has a row, without its log."""
    (tmp_path / "copy.db").write_bytes((tmp_path / "j.db").read_bytes())
    other = sqlite3.connect(tmp_path / "copy.db")
    try:
        return bool(other.execute("SELECT count(*) FROM t").fetchone()[0])
    finally:
        other.close()


@pytest.mark.parametrize(("idle", "pages"), [(True, PAGES_MAX), (False, 2 * PAGES_MAX)])
def test_pages_are_brought_over_when_there_are_enough(
    tmp_path: Path, connection: sqlite3.Connection, idle: bool, pages: int
) -> None:
    """Sooner where nobody waits."""
    connection.execute("INSERT INTO t VALUES (1)")
    log = Log(connection)
    log.pages = pages - 1
    log.tend(idle=idle)
    assert not _in_file(tmp_path)
    log.pages = pages
    log.tend(idle=idle)
    assert _in_file(tmp_path)
    assert log.pages == 0


def test_a_commit_counts_for_more_pages_than_it_has(connection: sqlite3.Connection) -> None:
    """Of each row its own page, and that of its id; and those that all rows share."""
    log = Log(connection)
    log.wrote(1)
    assert log.pages == 5
    log.wrote(32)
    assert log.pages == 5 + 67


def test_sqlite_itself_stands_behind_the_estimate(connection: sqlite3.Connection) -> None:
    """Far enough behind that it has nothing to do in a usual commit."""
    assert connection.execute("PRAGMA wal_autocheckpoint").fetchone() == (BACKSTOP,)
    assert BACKSTOP > 2 * PAGES_MAX


class _Failing:
    """A connection whose disk answers every statement with one error."""

    def __init__(self, code: int) -> None:
        self._code = code

    def execute(self, _: str) -> None:
        error = sqlite3.OperationalError("disk")
        error.sqlite_errorcode = self._code
        raise error


def test_without_room_the_pages_stay_in_the_log() -> None:
    """Nothing is lost by that, and calls go on; it is tried again after as many pages more."""
    log = Log(_Failing(sqlite3.SQLITE_FULL))  # type: ignore[arg-type]
    log.pages = PAGES_MAX
    log.tend(idle=True)
    assert log.pages == 0


def test_any_other_failure_is_told() -> None:
    """After a failed sync nobody knows what is on the disk."""
    log = Log(_Failing(sqlite3.SQLITE_IOERR | 4 << 8))  # type: ignore[arg-type]
    log.pages = PAGES_MAX
    with pytest.raises(sqlite3.OperationalError):
        log.tend(idle=True)
