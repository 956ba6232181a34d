"""The stores that a replay can be played on; one more is one more class and one more name."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from loadtests.incidents.postgres import PostgresServer
from proxy.idempotency import postgres_admin
from proxy.idempotency.postgres_rows import find_statement, row_of
from proxy.idempotency.postgres_wire import Wire
from proxy.idempotency.record import Record
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.store import Query

_PAGE = 5000
_KEY = "5e" * 32
LEASE_S = 2.0
STORE_DEFAULT = "sqlite"


class JournalUnderTest(Protocol):
    """A journal as a replay sees it: how the sidecar is told of it, and how it is read."""

    def settings(self) -> dict[str, Any]:
        """The section `journal` of the configuration."""

    def rows(self) -> list[Record]:
        """Every row, read without the sidecar."""

    @property
    def shared(self) -> bool:
        """Whether several sidecars may have it at once."""

    def close(self) -> None:
        """End what was started for it."""


class SqliteJournal:
    """The embedded store: a file in the replay's own directory."""

    shared = False

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

    def close(self) -> None:
        """See JournalUnderTest. The directory goes with the replay."""


class PostgresJournal:
    """The shared store: a PostgreSQL of the replay's own, in its directory."""

    shared = True

    def __init__(self, directory: Path) -> None:
        self.server = PostgresServer(directory / "postgres")
        postgres_admin.migrate(self.server.url())

    def settings(self) -> dict[str, Any]:
        """See JournalUnderTest."""
        return {
            "shared": {"url": self.server.url(), "secret": _KEY, "lease": f"{LEASE_S:g}s"},
            "sealing_keys": [{"id": "replay", "key": _KEY}],
        }

    def rows(self) -> list[Record]:
        """See JournalUnderTest. For a thread without an event loop."""
        return asyncio.run(self._rows())

    async def _rows(self) -> list[Record]:
        wire = Wire(self.server.url(), 1, 30.0)
        found: list[Record] = []
        query = Query(limit=_PAGE)
        try:
            while True:
                page = [row_of(each)[0] for each in await wire.fetch(*_spread(query))]
                found += page
                if len(page) < _PAGE:
                    return found
                query = Query(limit=_PAGE, after=(page[-1].changed_at, page[-1].id))
        finally:
            await wire.close()

    def close(self) -> None:
        """See JournalUnderTest."""
        self.server.stop()


def _spread(query: Query) -> tuple[Any, ...]:
    statement, asked = find_statement(query, "")
    return (statement, *asked)


STORES: dict[str, Callable[[Path], JournalUnderTest]] = {
    STORE_DEFAULT: SqliteJournal,
    "postgres": PostgresJournal,
}
"""By the name that `--store` takes; each is made for the directory of one replay."""
