"""One thread that writes to SQLite, many changes in one commit.

A commit waits for the disk; while it does, the changes that arrive gather and
become the next one (group commit). So a slow disk makes bigger commits, not a
longer queue. A change is told done only after the commit that holds it.
"""

from __future__ import annotations

import asyncio
import queue
import sqlite3
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from proxy.idempotency.store import StoreUnavailable

T = TypeVar("T")
_BATCH_MAX = 256
_WAITING_MAX = 10_000
_FULL = sqlite3.SQLITE_FULL


@dataclass(slots=True)
class _Change:
    work: Callable[[], Any]
    done: asyncio.Future[Any]
    begins: bool
    """It begins something new, which can wait until there is room on the disk again."""
    one_row: bool
    """It looks at one row, and changes no other."""
    result: Any = None
    error: Exception | None = None


class Held(Protocol):
    """What the changes of a batch look at; asked on the writing thread alone."""

    def begin(self, *, alone: bool) -> None:
        """A batch begins; `alone`: it looks at one row and nothing else, and each statement is
        a commit by itself.
        """

    def flush(self) -> None:
        """A commit follows: whatever was changed has to be in the transaction now."""

    def undo(self) -> None:
        """The transaction was rolled back."""

    def tend(self, *, idle: bool) -> None:
        """A commit is told, or that there was none; `idle`: nobody waits for the next one. May
        raise sqlite3.Error.
        """


class Writer:
    """Runs changes on one connection, which no other thread touches from then on.

    `rows` are what the changes read and write, see Held; `make_room` is asked for room
    when the disk is full, and says whether it could; `failed` is told when the file can
    be trusted no more: after a failed sync nobody knows what is on the disk.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: sqlite3.Connection,
        rows: Held,
        *,
        make_room: Callable[[], bool],
        failed: Callable[[str], None],
    ) -> None:
        self._loop = loop
        self._connection = connection
        self._rows = rows
        self._make_room = make_room
        self._failed = failed
        self._changes: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._submitted_at: deque[float] = deque()
        self.full = False
        """No room for anything new; what was begun is still written, into the ballast's room."""
        self.broken = False
        self.ended: Callable[[asyncio.Future[Any]], None] = _unheard
        """Told of each future that ends."""
        self._writer = threading.Thread(target=self._run, name="journal", daemon=True)
        self._writer.start()

    def waiting_s(self) -> float:
        """How long the oldest change has been waiting for its commit; 0.0 when none is."""
        return time.monotonic() - self._submitted_at[0] if self._submitted_at else 0.0

    def submit(
        self,
        work: Callable[[], T],
        *,
        begins: bool = False,
        one_row: bool = False,
    ) -> asyncio.Future[T]:
        """Run `work` in the next commit; the future ends when that is durable.

        It ends in whatever `work` raised, or in StoreUnavailable.
        """
        done: asyncio.Future[Any] = self._loop.create_future()
        if self.broken or len(self._submitted_at) >= _WAITING_MAX or (self.full and begins):
            done.set_exception(StoreUnavailable())
            return done
        self._submitted_at.append(time.monotonic())
        self._changes.put(_Change(work, done, begins, one_row))
        return done

    def close(self) -> None:
        """Write what was submitted, and end the thread."""
        self._changes.put(None)
        self._writer.join()

    # -- the thread -----------------------------------------------------------------

    def _run(self) -> None:
        ending = False
        while not ending:
            batch: list[_Change] = []
            change = self._changes.get()
            while change is not None:
                batch.append(change)
                if len(batch) >= _BATCH_MAX or self._changes.empty():
                    break
                change = self._changes.get()
            ending = change is None
            if batch:
                self._write(batch)
                self._loop.call_soon_threadsafe(self._deliver, batch)
                self._tend()

    def _write(self, batch: list[_Change]) -> None:
        """One commit, and a second try with the room that was kept if the disk is full."""
        error = self._try(batch)
        if error is not None and _code(error) == _FULL and not self.full:
            self.full = True
            if self._make_room():
                for change in batch:
                    change.error = StoreUnavailable() if change.begins else None
                error = self._try([change for change in batch if not change.begins])
        if error is None:
            return
        for change in batch:
            change.error = StoreUnavailable()
        if _code(error) != _FULL:
            self._break(error)

    def _tend(self) -> None:
        """What may wait until the commit is told."""
        if self.broken:
            return
        try:
            self._rows.tend(idle=self._changes.empty())
        except (sqlite3.Error, MemoryError) as error:
            self._break(error)

    def _break(self, error: Exception) -> None:
        if not self.broken:
            self.broken = True
            self._loop.call_soon_threadsafe(self._failed, str(error))

    def _try(self, batch: list[_Change]) -> Exception | None:
        """All of it or nothing; the error of the database, if there was one.

        A change of one row is one statement, and so a transaction without our asking for one:
        that saves a call that has the disk for itself some 20 us of work between two syncs.
        """
        if self.broken:
            return sqlite3.OperationalError("broken")
        execute = self._connection.execute
        try:
            alone = len(batch) == 1 and batch[0].one_row
            if not alone:
                execute("BEGIN IMMEDIATE")
            self._rows.begin(alone=alone)
            for change in batch:
                self._work(change)
            self._rows.flush()
            if not alone:
                execute("COMMIT")
        except (sqlite3.Error, MemoryError) as error:
            self._rows.undo()
            try:
                if self._connection.in_transaction:
                    execute("ROLLBACK")
            except sqlite3.Error as worse:
                return worse
            return error
        return None

    def _work(self, change: _Change) -> None:
        try:
            change.result = change.work()
        except sqlite3.Error:
            raise
        except Exception as error:  # noqa: BLE001 - told to whoever asked; others go on
            change.error = error

    def _deliver(self, batch: list[_Change]) -> None:
        for change in batch:
            self._submitted_at.popleft()
            if change.done.done():
                continue
            if change.error is not None:
                change.done.set_exception(change.error)
            else:
                change.done.set_result(change.result)
            self.ended(change.done)


def _unheard(_: asyncio.Future[Any]) -> None:
    """Nobody listens."""


def _code(error: Exception) -> int:
    """SQLite's primary result code."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF
