"""The rows that the writing thread has in hand: read together, written together.

Each statement costs the thread the interpreter twice: it lets go of it before SQLite
works and has to wait for it afterwards, behind a loop that is busy with calls. So the
rows of a batch are read by one statement and written by as few as there can be.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any

from proxy.idempotency.record import JournalError, Record, State
from proxy.idempotency.rows import record, values
from proxy.idempotency.sqlite_log import Log
from proxy.idempotency.sqlite_schema import ADD, CHANGE, KEPT, READ, SAVES, reads

_AT_WORK = (State.CLAIMED, State.SENDING)


class Batch:
    """Rows as the file will have them after the next flush; for one thread alone."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._log = Log(connection)
        self._active: dict[bytes, Record] = {}
        """Rows at work, as they stand in the file: they are kept from one batch to the next."""
        self._changed: dict[bytes, tuple[Record, tuple[Any, ...]]] = {}
        """Rows that the file does not have yet, and their columns."""
        self._ahead: dict[bytes, Record | None] = {}
        """Rows that were read for the batch at hand; None: there is none."""
        self._alone = False
        """The batch is one change of one row, and each statement a commit."""

    def load(self, row_id: bytes) -> Record | None:
        """A row as the changes before left it."""
        changed = self._changed.get(row_id)
        if changed is not None:
            return changed[0]
        row = self._active.get(row_id)
        if row is not None:
            return row
        if row_id in self._ahead:
            return self._ahead[row_id]
        found = self._connection.execute(READ, (row_id,)).fetchone()
        return None if found is None else record(found)

    def may_add(self, row_id: bytes) -> bool:
        """Whether a row may be added without looking for it: nearly every key is new, and to look
        costs as much as to add. Not in a batch of many, which are read and written together.
        """
        return self._alone and row_id not in self._active

    def add(self, row: Record) -> bool:
        """Put a row into the file, if there is none with its id. Raises JournalError as `save`,
        sqlite3.Error.
        """
        if self._connection.execute(ADD, _columns(row)).rowcount != 1:
            return False
        self._log.wrote(1)
        if row.state in _AT_WORK:
            self._active[row.id] = row
        return True

    def save(self, row: Record) -> None:
        """Take a row for the next flush. Raises JournalError for text that no file can hold."""
        self._changed[row.id] = row, _columns(row)
        if row.state in _AT_WORK:
            self._active[row.id] = row
        else:
            self._active.pop(row.id, None)

    def begin(self, row_ids: Sequence[bytes], *, alone: bool) -> None:
        """Read the rows that a batch will look at, unless they are in hand, or it is but one."""
        self._alone = alone
        self._ahead.clear()
        wanted = [
            each for each in row_ids if each not in self._active and each not in self._changed
        ]
        if len(wanted) < 2:
            return
        statement, padding = reads(len(wanted))
        found = self._connection.execute(statement, [*wanted, *padding]).fetchall()
        self._ahead.update(dict.fromkeys(wanted))
        for columns in found:
            self._ahead[columns[0]] = record(columns)

    def flush(self) -> None:
        """Put what was changed into the file. Raises sqlite3.Error."""
        rows = [columns for _, columns in self._changed.values()]
        if not (self._alone and rows and self._change(rows[0])):
            self._put(rows)
        self._log.wrote(len(rows))
        self._changed.clear()
        self._ahead.clear()

    def _change(self, columns: tuple[Any, ...]) -> bool:
        """Change the one row; False: there is none with its id."""
        values_and_id = (*columns[KEPT:], columns[0])
        return self._connection.execute(CHANGE, values_and_id).rowcount == 1

    def _put(self, rows: Sequence[tuple[Any, ...]]) -> None:
        done = 0
        for count, statement in SAVES.items():
            while len(rows) - done >= count:
                some = [value for columns in rows[done : done + count] for value in columns]
                self._connection.execute(statement, some)
                done += count

    def tend(self, *, idle: bool) -> None:
        """Between two commits. Raises sqlite3.Error."""
        self._log.tend(idle=idle)

    def undo(self) -> None:
        """Nothing since the last commit counts: what is in hand is forgotten."""
        for each in (self._changed, self._active, self._ahead):
            each.clear()

    def forget(self, row_ids: Iterable[bytes]) -> None:
        """These rows were changed in the file, after a flush."""
        for row_id in row_ids:
            self._active.pop(row_id, None)


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
