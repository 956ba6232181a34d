"""Opening the journal's file safely: who may hold it, where it may be, what SQLite must promise."""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from proxy.idempotency.record import JournalError
from proxy.idempotency.sqlite_log import BACKSTOP
from proxy.model.errors import StartError

_NETWORK_FILE_SYSTEMS = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "glusterfs", "fuse.sshfs", "lustre", "afs")
)
_RACE_FIXED_IN = (3, 51, 3)
_PAGE_BYTES = 2048
"""Of a new file. A change writes whole pages, and the usual 4096 are more than it needs."""


def version_warning() -> str | None:
    """What an operator should know of the SQLite that is installed, or None."""
    if sqlite3.sqlite_version_info >= _RACE_FIXED_IN:
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} can damage a file that two connections write to; "
        "the journal writes with one only, and keeps a second process out"
    )


@contextlib.contextmanager
def usable(path: Path) -> Iterator[None]:
    """Whatever is wrong with the file becomes a StartError that names it."""
    try:
        yield
    except (sqlite3.Error, JournalError) as error:
        raise StartError(f"the journal {path} cannot be used: {error}; {_remedy(error)}") from None


def _remedy(error: sqlite3.Error | JournalError) -> str:
    """A file that is in order must stay: without its rows a repeated key would be a new one."""
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return "if it is damaged, move it away and ask the partners for what is in doubt"
    return "leave it where it is, and see to room on its disk and to who may write there"


def connect(path: Path) -> sqlite3.Connection:
    """A connection whose commits are on the disk when they return. Raises StartError.

    What SQLite would put aside in a file meanwhile, as it does for statements of many rows,
    stays in memory: a read-only root has no folder for it, and a failure there is told as one
    of the disk.
    """
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    os.chmod(path, 0o600)
    connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}")
    connection.execute("PRAGMA temp_store = MEMORY")
    connection.execute(f"PRAGMA wal_autocheckpoint = {BACKSTOP}")
    for pragma, wanted in (("journal_mode", "wal"), ("synchronous", 2)):
        connection.execute(f"PRAGMA {pragma} = {wanted}")
        got = connection.execute(f"PRAGMA {pragma}").fetchone()[0]
        if got != wanted:
            connection.close()
            raise StartError(f"the journal {path} cannot be made safe: {pragma} stays {got!r}")
    return connection


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All of it, durable, or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def lock_out_others(path: Path) -> IO[bytes]:
    """Keep other processes out for as long as the file stays open. Raises StartError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = _file_system(path.parent)
        if kind in _NETWORK_FILE_SYSTEMS:
            raise StartError(
                f"the journal {path} is on {kind}, where locks and syncs cannot be relied on; "
                "put it on a local disk"
            )
        lock = open(path.with_name(path.name + ".lock"), "wb")  # noqa: SIM115 - held until the end
    except OSError as error:
        raise StartError(
            f"the journal {path} cannot be made: {error.strerror}; "
            "check that its folder may be written"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise StartError(
            f"the journal {path} is in use by another sidecar; "
            "end that one, or give each its own file"
        ) from None
    return lock


def _file_system(folder: Path) -> str:
    """The kind of file system that a folder is on, as the kernel names it."""
    best, kind = "", ""
    resolved = str(folder.resolve())
    for line in Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines():
        fields, _, source = line.partition(" - ")
        place = fields.split()[4]
        inside = resolved == place or resolved.startswith(place.rstrip("/") + "/")
        if inside and len(place) >= len(best):
            best, kind = place, source.split()[0]
    return kind
