"""Rules for opening the journal's file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from proxy.idempotency import sqlite_open
from proxy.idempotency.sqlite_open import connect, lock_out_others, usable, version_warning
from proxy.model.errors import StartError


def test_a_second_holder_is_kept_out(tmp_path: Path) -> None:
    """Until the first lets go."""
    path = tmp_path / "new" / "j.db"
    held = lock_out_others(path)
    with pytest.raises(StartError, match="in use by another sidecar"):
        lock_out_others(path)
    held.close()
    lock_out_others(path).close()


def test_a_folder_that_cannot_be_is_one_sentence(tmp_path: Path) -> None:
    """It names the file."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StartError, match=r"file/j\.db cannot be made"):
        lock_out_others(tmp_path / "file" / "j.db")


def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its locks and syncs promise less than they say."""
    monkeypatch.setattr(sqlite_open, "_file_system", lambda _: "nfs4")
    with pytest.raises(StartError, match="is on nfs4"):
        lock_out_others(tmp_path / "j.db")


def test_the_file_system_is_that_of_the_nearest_mount() -> None:
    """`/proc` is a mount of its own, and so is what lies below it."""
    assert sqlite_open._file_system(Path("/proc/self")) == "proc"
    assert sqlite_open._file_system(Path("/")) != "proc"


def test_a_file_that_cannot_promise_is_refused(tmp_path: Path) -> None:
    """A database in memory cannot be written ahead."""
    with pytest.raises((StartError, sqlite3.Error, OSError)):
        connect(Path(":memory:"))
    connection = connect(tmp_path / "j.db")
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


@pytest.mark.parametrize(("version", "told"), [((3, 40, 1), True), ((3, 51, 3), False)])
def test_an_old_sqlite_is_told(
    monkeypatch: pytest.MonkeyPatch, version: tuple[int, int, int], told: bool
) -> None:
    """It cannot hurt this journal, but it can hurt whoever opens the file beside it."""
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert (version_warning() is not None) is told


def test_a_file_keeps_the_size_of_its_pages(tmp_path: Path) -> None:
    """A new one has small pages; one that an earlier release made is used as it is."""
    older = sqlite3.connect(tmp_path / "older.db")
    older.execute("CREATE TABLE t (x)")
    older.close()
    sizes = []
    for name in ("new.db", "older.db", "new.db"):
        connection = connect(tmp_path / name)
        connection.execute("CREATE TABLE IF NOT EXISTS t (x)")
        sizes.append(connection.execute("PRAGMA page_size").fetchone()[0])
        connection.close()
    assert sizes == [2048, 4096, 2048]


def test_nothing_is_put_aside_in_a_folder(tmp_path: Path) -> None:
    """A read-only root has none, and a statement of many rows would fail there."""
    connection = connect(tmp_path / "j.db")
    assert connection.execute("PRAGMA temp_store").fetchone() == (2,)
    connection.close()


@pytest.mark.parametrize(
    ("code", "moves"),
    [
        (sqlite3.SQLITE_CORRUPT, True),
        (sqlite3.SQLITE_NOTADB, True),
        (sqlite3.SQLITE_FULL, False),
        (sqlite3.SQLITE_IOERR | 25 << 8, False),
        (sqlite3.SQLITE_READONLY, False),
    ],
)
def test_only_a_damaged_file_is_to_be_moved_away(code: int, moves: bool) -> None:
    """Without the rows of one that is in order, a repeated key would be sent as a new one."""
    error = sqlite3.OperationalError("it says")
    error.sqlite_errorcode = code
    with pytest.raises(StartError) as told, usable(Path("j.db")):
        raise error
    assert "j.db cannot be used: it says; " in str(told.value)
    assert ("move it away" in str(told.value)) is moves
    assert ("leave it where it is" in str(told.value)) is not moves
