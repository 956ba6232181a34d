"""When the pages that commits wrote into the log are brought into the table's file.

SQLite does it by itself, inside of the commit that makes the log too long: those
whose change that was then wait some tens of milliseconds for others' pages,
though their own has been on the disk for as long. So it is done between commits,
after the last one was told, in a moment when nobody waits if there is one.
"""

from __future__ import annotations

import sqlite3

PAGES_MAX = 8000
"""16 MB at most; about half of that, as the estimate is on the safe side. A page that changed often
is brought over once: four times as many as SQLite would let gather are a tenth more calls/s, and
fewer calls that wait for it, with a million rows as without.
"""
BACKSTOP = 3 * PAGES_MAX
"""Where SQLite itself steps in: pages are only estimated here."""
_PAGES_OF_COMMIT, _PAGES_OF_ROW = 3, 2
_BUSY_TIMES = 2
"""How much longer the log may get while there is always somebody waiting."""


class Log:
    """The log of one connection, for the thread that writes."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.pages = 0
        """About how many were written since they were last brought over."""

    def wrote(self, rows: int) -> None:
        """A commit with so many rows follows."""
        self.pages += _PAGES_OF_COMMIT + rows * _PAGES_OF_ROW

    def tend(self, *, idle: bool) -> None:
        """Bring the pages over if it is time to. Raises sqlite3.Error.

        Without room for them on the disk they stay in the log, and lose nothing.
        """
        if self.pages < PAGES_MAX * (1 if idle else _BUSY_TIMES):
            return
        self.pages = 0
        try:
            self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_FULL:
                raise
