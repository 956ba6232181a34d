"""The rows that the writing thread has in hand: seldom read, and written together.

Each statement costs the thread the interpreter twice: it lets go of it before SQLite
works and has to wait for it afterwards, behind a loop that is busy with calls. So a new
row is not looked for where the filters say that it is new, a row at work is kept, and the
rows of a batch are written by as few statements as there can be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from proxy.idempotency.record import JournalError, Record, State
from proxy.idempotency.rows import record, values
from proxy.idempotency.sqlite_ids import Ids
from proxy.idempotency.sqlite_log import Log
from proxy.idempotency.sqlite_open import transaction
from proxy.idempotency.sqlite_schema import ADD, CHANGE, DELETE, KEPT, LEFT_NUMBERS, SAVES

_AT_WORK = (State.CLAIMED, State.SENDING)
_Held = tuple[int, Record]
"""A row and its number."""


class Batch:
    """Rows as the file will have them after the next flush; for one thread alone.

    A row that comes to work again gets a new number: what is at work stands at the end of the
    table (see sqlite_read.WORKING_FROM).
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._log = Log(connection)
        self._ids = Ids(connection)
        self._working: dict[bytes, int] | None = None
        """The number of each row at work; None: nobody knows, but the file."""
        self._active: dict[bytes, _Held] = {}
        """Rows at work, as they stand in the file: they are kept from one batch to the next."""
        self._changed: dict[bytes, tuple[int, Record, tuple[Any, ...]]] = {}
        """Rows that the file does not have yet, and their columns."""
        self._moved: list[tuple[int]] = []
        """The numbers that some of those had before."""
        self._ahead: dict[bytes, _Held | None] = {}
        """Rows that were read for the batch at hand; None: there is none."""
        self._alone = False
        """The batch is one change of one row, and each statement a commit."""

    def load(self, row_id: bytes) -> Record | None:
        """A row as the changes before left it."""
        held = self._held(row_id)
        return None if held is None else held[1]

    def number(self, row_id: bytes) -> int | None:
        """The number of a row, once what was changed is flushed; None: there is none."""
        held = self._held(row_id)
        return None if held is None else held[0]

    def _held(self, row_id: bytes) -> _Held | None:
        changed = self._changed.get(row_id)
        if changed is not None:
            return changed[0], changed[1]
        held = self._active.get(row_id)
        if held is not None:
            return held
        if row_id not in self._ahead:
            self._ahead[row_id] = self._read(row_id)
        return self._ahead[row_id]

    def _read(self, row_id: bytes) -> _Held | None:
        found = self._ids.find(row_id)
        return None if found is None else (found[0], record(found[1:]))

    def may_add(self, row_id: bytes) -> bool:
        """Whether a row is certain to be new, and may be added by a statement of its own. Not in
        a batch of many, which are written together.
        """
        return self._alone and row_id not in self._active and not self._ids.may_have(row_id)

    def add(self, row: Record) -> None:
        """Put a new row at work into the file. Raises JournalError as `save`, sqlite3.Error."""
        columns = _columns(row)
        number = self._ids.take(row.id)
        self._connection.execute(ADD, (number, *columns))
        self._log.wrote(1)
        self._hold(number, row)

    def save(self, row: Record) -> None:
        """Take a row for the next flush. Raises JournalError for text that no file can hold."""
        columns = _columns(row)
        held = self._held(row.id)
        if held is None:
            number = self._ids.take(row.id)
        elif row.state in _AT_WORK and held[1].state not in _AT_WORK:
            self._moved.append((held[0],))
            number = self._ids.take(row.id)
        else:
            number = held[0]
        self._changed[row.id] = number, row, columns
        self._hold(number, row)

    def _hold(self, number: int, row: Record) -> None:
        if row.state in _AT_WORK:
            self._active[row.id] = number, row
            if self._working is not None:
                self._working[row.id] = number
        else:
            self._active.pop(row.id, None)
            if self._working is not None:
                self._working.pop(row.id, None)

    def begin(self, *, alone: bool) -> None:
        """A batch begins. What was read for the last one, the file may have otherwise by now."""
        self._alone = alone
        self._ahead.clear()

    def flush(self) -> None:
        """Put what was changed into the file. Raises sqlite3.Error."""
        rows = [(number, *columns) for number, _, columns in self._changed.values()]
        if self._moved and self._alone:
            with transaction(self._connection):
                self._replace(rows)
        elif self._moved:
            self._replace(rows)
        elif not (self._alone and rows and self._change(rows[0])):
            self._put(rows)
        if rows:
            self._log.wrote(len(rows))
        self._moved.clear()
        self._changed.clear()
        self._ahead.clear()

    def _replace(self, rows: Sequence[tuple[Any, ...]]) -> None:
        self._connection.executemany(DELETE, self._moved)
        self._ids.delete(number for (number,) in self._moved)
        self._put(rows)

    def _change(self, row: tuple[Any, ...]) -> bool:
        """Change the one row; False: there is none with its number."""
        number, *columns = row
        values_and_number = (*columns[KEPT:], number)
        return self._connection.execute(CHANGE, values_and_number).rowcount == 1

    def _put(self, rows: Sequence[tuple[Any, ...]]) -> None:
        done = 0
        for count, statement in SAVES.items():
            while len(rows) - done >= count:
                some = [value for row in rows[done : done + count] for value in row]
                self._connection.execute(statement, some)
                done += count

    def working_from(self) -> int:
        """A number below which no row is at work, once what was changed is flushed."""
        if self._working is None:
            left = self._connection.execute(LEFT_NUMBERS).fetchall()
            self._working = {row_id: number for number, row_id in left}
        return min(self._working.values(), default=self._ids.next)

    def tend(self, *, idle: bool) -> None:
        """After a commit, or after what was rolled back. Raises sqlite3.Error."""
        self._ids.durable()
        self._ids.write()
        self._log.tend(idle=idle)

    def undo(self) -> None:
        """Nothing since the last commit counts: what is in hand is forgotten."""
        for each in (self._changed, self._active, self._ahead):
            each.clear()
        self._moved.clear()
        self._working = None
        self._ids.undo()

    def purged(self, numbers: Sequence[int]) -> None:
        """These rows were deleted by the transaction at hand."""
        self._ids.delete(numbers)

    def forget(self, row_ids: Iterable[bytes]) -> None:
        """These rows were changed in the file, after a flush."""
        for row_id in row_ids:
            self._active.pop(row_id, None)
            self._ahead.pop(row_id, None)


def _columns(row: Record) -> tuple[Any, ...]:
    columns = values(row)
    for value in columns:
        if type(value) is str and not value.isascii():
            _check(value)
    return columns


def _check(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise JournalError(
            "a text of the row has a lone surrogate, which is no character"
        ) from None
