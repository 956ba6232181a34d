"""Tables in memory and what finds rows in them by id, for the tests of it."""

from __future__ import annotations

import random
import sqlite3

from proxy.idempotency import id_filter
from proxy.idempotency.record import State
from proxy.idempotency.rows import values
from proxy.idempotency.sqlite_ids import Ids
from proxy.idempotency.sqlite_schema import SAVE
from tests.unit.idempotency.tables import make_tables
from tests.unit.idempotency.values import row

STRETCH = 1 << id_filter.SHIFT


def an_id(number: int) -> bytes:
    """Like a digest."""
    return random.Random(number).randbytes(16)


class File:
    """Tables, and what finds rows in them."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:", isolation_level=None)
        make_tables(self.connection)
        self.ids = Ids(self.connection)

    def put(self, number: int, at: int | None = None) -> int:
        """A row whose id comes from `number`; the number that it got, or `at`."""
        taken = self.ids.take(an_id(number)) if at is None else at
        self.connection.execute(SAVE, (taken, *values(row(State.SETTLED, id=an_id(number)))))
        return taken

    def again(self) -> Ids:
        """What a start finds in the file."""
        self.ids = Ids(self.connection)
        return self.ids

    def found(self, number: int) -> int | None:
        """The number of the row whose id comes from `number`."""
        found = self.ids.find(an_id(number))
        assert (found is None) or self.ids.may_have(an_id(number))
        return None if found is None else int(found[0])

    def written(self) -> list[int]:
        """The stretches whose filters are in the file."""
        asked = "SELECT stretch FROM filters ORDER BY stretch"
        return [stretch for (stretch,) in self.connection.execute(asked)]

    def commit(self) -> None:
        """What the end of a commit does, and of some others behind it."""
        self.ids.durable()
        for _ in range(3):
            self.ids.write()
