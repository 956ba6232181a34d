"""The stores that a replay can be played on; one more is one more class and one more name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from proxy.idempotency.record import Record
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.store import Query

_PAGE = 5000
STORE_DEFAULT = "sqlite"


class JournalUnderTest(Protocol):
    """A journal as a replay sees it: how the sidecar is told of it, and how it is read."""

    def settings(self) -> dict[str, Any]:
        """The section `journal` of the configuration."""

    def rows(self) -> list[Record]:
        """Every row, read without the sidecar."""


class SqliteJournal:
    """The embedded store: a file in the replay's own directory."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "journal.db"

    def settings(self) -> dict[str, Any]:
        """See JournalUnderTest."""
        return {"path": str(self.path)}

    def rows(self) -> list[Record]:
        """See JournalUnderTest."""
        found: list[Record] = []
        after = (0.0, b"")
        while True:
            page = find(self.path, Query(limit=_PAGE, after=after))
            found += page
            if len(page) < _PAGE:
                return found
            after = (page[-1].changed_at, page[-1].id)


STORES: dict[str, Callable[[Path], JournalUnderTest]] = {STORE_DEFAULT: SqliteJournal}
"""By the name that `--store` takes; each is made for the directory of one replay."""
