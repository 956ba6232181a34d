"""Where in a journal file the row with an id is, and which number a new row gets.

An index of ids alone is the dearest part of a journal: ids are random, so with a million
rows each new one reads and changes a page of its own. Here ids are indexed by blocks of
4096 rows, so that new ones share the pages of the newest block, and filters in memory say
which blocks an id may be in: of a new one, none. They take 4 bytes a row.

Of a stretch of which few rows are left, as of calls in doubt that outlived all others,
the ids themselves are kept instead.

A stretch's filters are written down when the stretch is full, by a commit of their own:
they need a hundred times the room of a change, and a full disk may have it for the change
alone. What is missing or damaged is made anew from the rows, so no filter ever lacks a row
that the file has: otherwise a key could be taken for a new one, and its payment sent again.
For that reason numbers are never used again: no row comes into a stretch whose filter is
written, nor below the number from which rows at work are looked for.

For the writing thread alone.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable
from typing import Any

from proxy.idempotency.few_ids import FewIds
from proxy.idempotency.id_filter import (
    BLOCK_SHIFT,
    BLOCKS,
    BYTES,
    SHIFT,
    Places,
    add,
    blocks,
    may_have,
    places,
)
from proxy.idempotency.sqlite_read import BLOCK, LOOKED_FROM
from proxy.idempotency.sqlite_schema import BOUNDS, FIND

_IDS = f"SELECT number, id FROM calls WHERE {BLOCK} = ?"  # noqa: S608 - names of ours
_WRITTEN = "SELECT stretch, check_sum, bits FROM filters"
_WRITE = "INSERT OR REPLACE INTO filters VALUES (?, ?, ?)"
_FEW_MAX = 1000
"""So many ids take less memory than filters."""
_FEW = "SELECT number, id FROM calls WHERE number >= ? AND number < ? LIMIT ?"
_DROP = "DELETE FROM filters WHERE stretch = ?"


class Ids:
    """Of one connection. Raises sqlite3.Error, where a file is asked."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._full: dict[int, bytes] = {}
        """By stretch, oldest first: the filters that change no more."""
        self._unwritten: list[int] = []
        """Of those, the ones that the file does not have."""
        self._dropping: dict[int, list[tuple[int, bytes]]] = {}
        """Those that the transaction at hand deletes, with the rows that are left. Until it is
        durable they are asked as before."""
        self._gone: list[int] = []
        """Numbers of rows that it deletes."""
        self._unseen: list[int] = []
        """Stretches, oldest first, that were not looked at since they were the newest full one: all
        their rows may have been deleted by then, and no deletion will lead to them any more."""
        self._seen: list[int] = []
        """Those that the transaction at hand looks at."""
        self._few = FewIds()
        """The rows of stretches of which few are left."""
        self._bits = bytearray(BYTES)
        """Of the stretch that is being filled: the one of the next number."""
        self.next = 1
        self._load()

    def take(self, row_id: bytes) -> int:
        """The number of a new row."""
        number = self.next
        self.next = number + 1
        add(self._bits, row_id, number)
        if self.next >> SHIFT != number >> SHIFT:
            self._full[number >> SHIFT] = bytes(self._bits)
            self._unwritten.append(number >> SHIFT)
            self._unseen.append(number >> SHIFT)
            self._bits = bytearray(BYTES)
        return number

    def may_have(self, row_id: bytes) -> bool:
        """Whether there may be a row with this id; False is certain."""
        at = places(row_id)
        return (
            may_have(self._bits, at)
            or row_id in self._few
            or any(may_have(bits, at) for bits in self._full.values())
        )

    def find(self, row_id: bytes) -> tuple[Any, ...] | None:
        """Number and columns of the row with this id."""
        at = places(row_id)
        found = self._find(row_id, at, self.next >> SHIFT, self._bits)
        for stretch, bits in reversed(self._full.items()):
            if found is not None:
                break
            found = self._find(row_id, at, stretch, bits)
        number = self._few.number(row_id)
        if found is None and number is not None:
            found = self._ask(number >> BLOCK_SHIFT, row_id)
        return found

    def _find(
        self, row_id: bytes, at: Places, stretch: int, bits: bytes | bytearray
    ) -> tuple[Any, ...] | None:
        for block in blocks(bits, at) if may_have(bits, at) else ():
            found = self._ask(stretch * BLOCKS + block, row_id)
            if found is not None:
                return found
        return None

    def _ask(self, block: int, row_id: bytes) -> tuple[Any, ...] | None:
        found: tuple[Any, ...] | None = self._connection.execute(FIND, (block, row_id)).fetchone()
        return found

    # -- what the file has ------------------------------------------------------------

    def write(self) -> bool:
        """Write the filters of one stretch that is full, by a commit of their own; whether it did.

        Without room for them on the disk they wait, and lose nothing.
        """
        if not self._unwritten:
            return False
        stretch = self._unwritten[0]
        bits = self._full[stretch]
        try:
            self._connection.execute(_WRITE, (stretch, _check_sum(stretch, bits), bits))
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise
            return False
        del self._unwritten[0]
        return True

    def delete(self, numbers: Iterable[int]) -> None:
        """Rows with these numbers were deleted by the transaction at hand: where few rows are
        left, the filters go with them.

        Not the newest ones, which show which numbers were used. They are looked at once they are
        the newest no more, one stretch at each time.
        """
        newest = next(reversed(self._full), -1)
        gone = list(numbers)
        self._gone += gone
        self._seen = [stretch for stretch in self._unseen[:1] if stretch != newest]
        for stretch in sorted({*self._seen, *(number >> SHIFT for number in gone)}):
            if stretch in self._full and stretch != newest:
                left = self._left(stretch)
                if left is not None:
                    self._connection.execute(_DROP, (stretch,))
                    self._dropping[stretch] = left

    def durable(self) -> None:
        """What `delete` did is in the file."""
        if not (self._gone or self._seen):
            return
        for stretch, left in self._dropping.items():
            del self._full[stretch]
            if stretch in self._unwritten:
                self._unwritten.remove(stretch)
            self._few.keep(left)
        self._few.forget(self._gone)
        del self._unseen[: len(self._seen)]
        self.undo()

    def undo(self) -> None:
        """What `delete` did was rolled back. Numbers that were taken stay so."""
        self._dropping.clear()
        self._gone.clear()
        self._seen.clear()

    def _left(self, stretch: int) -> list[tuple[int, bytes]] | None:
        """The rows of a stretch, if they are few."""
        asked = (stretch << SHIFT, (stretch + 1) << SHIFT, _FEW_MAX + 1)
        found = self._connection.execute(_FEW, asked).fetchall()
        return found if len(found) <= _FEW_MAX else None

    def _load(self) -> None:
        lowest, highest = self._connection.execute(BOUNDS).fetchone()
        sound = {
            stretch: bits
            for stretch, check_sum, bits in self._connection.execute(_WRITTEN)
            if isinstance(bits, bytes)
            and len(bits) == BYTES
            and _check_sum(stretch, bits) == check_sum
        }
        looked_from = self._connection.execute(LOOKED_FROM).fetchone()[0]
        self.next = max((highest or 0) + 1, (max(sound, default=-1) + 1) << SHIFT, looked_from, 1)
        with_rows = () if highest is None else range(lowest >> SHIFT, (highest >> SHIFT) + 1)
        for stretch in sorted({*sound, *with_rows}):
            if stretch == self.next >> SHIFT:
                self._bits = self._made(stretch)
            elif stretch in sound:
                self._full[stretch] = sound[stretch]
            else:
                self._fill(stretch)
        self._unseen = list(self._full)

    def _fill(self, stretch: int) -> None:
        """Find out what a stretch has that is full, and has no filters in the file."""
        left = self._left(stretch)
        if left is not None:
            self._few.keep(left)
        else:
            self._full[stretch] = bytes(self._made(stretch))
            self._unwritten.append(stretch)

    def _made(self, stretch: int) -> bytearray:
        """A filter from the rows."""
        bits = bytearray(BYTES)
        for block in range(stretch * BLOCKS, (stretch + 1) * BLOCKS):
            for number, row_id in self._connection.execute(_IDS, (block,)):
                add(bits, row_id, number)
        return bits


def _check_sum(stretch: int, bits: bytes) -> int:
    """Of filters, and of whose they are: under another number they would lack every row."""
    return zlib.crc32(bits, stretch & 0xFFFFFFFF)
