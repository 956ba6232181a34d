"""Finds the rows in doubt that are ours and due, and reads as few others as it can.

Most looks read only what has changed lately, so that a new doubt is seen within
a second. All rows are read when one that we know is due, and now and then
besides, for those that a dead sidecar has left to us; how often is bounded by how many there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from proxy.idempotency.record import Record, State
from proxy.idempotency.store import Query, Store
from proxy.idempotency.watches import Watches

_PAGE = 200
_OVERLAP_S = 5.0
"""A change is visible when it is durable, and dated before that."""
_ALL_EVERY_S = 10.0
_ROWS_PER_S = 1000.0
"""A look at all of them takes at most some per cent of the time."""


class Looking:
    """`is_open` says whether anything may be done about a row."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], float],
        watches: Watches,
        is_open: Callable[[Record], bool],
    ) -> None:
        self._store = store
        self._now = now
        self._watches = watches
        self._is_open = is_open
        self._looked_at = 0.0
        self._all_from = self._all_by = 0.0
        """When all rows may be, and when they must be, read again."""

    async def due(self) -> dict[str, list[Record]]:
        """Rows to ask about now, by upstream, oldest first. Raises StoreUnavailable."""
        now, wall = self._now(), self._store.instant().wall
        everything = now >= self._all_by or (now >= self._all_from and self._watches.any_due(now))
        rows = await self._read(0.0 if everything else min(self._looked_at, wall) - _OVERLAP_S)
        if everything:
            self._watches.keep({row.id for row in rows})
            self._all_from, self._all_by = now + len(rows) / _ROWS_PER_S, now + _ALL_EVERY_S
        self._looked_at = wall
        due: dict[str, list[Record]] = {}
        for row in rows:
            if self._is_open(row) and now >= self._watches.of(row, now).again_at:
                due.setdefault(row.upstream, []).append(row)
        return due

    async def _read(self, changed_from: float) -> Sequence[Record]:
        rows: list[Record] = []
        after = (0.0, b"")
        while True:
            query = Query(
                states=(State.IN_DOUBT,),
                limit=_PAGE,
                after=after,
                changed_from=changed_from,
                mine=True,
            )
            page = await self._store.find(query)
            rows += page
            if len(page) < _PAGE:
                return rows
            after = (page[-1].changed_at, page[-1].id)
