"""What the admin listener asks of a journal at work, and the news that it brings.

It reads past the calls, on connections of its own. News is a change like any
other: under the row's token, and durable before it is confirmed. Whoever brings
it (a webhook, an operator) may bring it twice, and late: what is known already is
confirmed, what contradicts it is refused, and nothing that has ended is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from proxy.idempotency.described import described
from proxy.idempotency.journal import Journal
from proxy.idempotency.record import JournalError, Record, Release, Settle, State, Superseded
from proxy.idempotency.store import Query, StoreUnavailable

SCHEMA = 1
DOUBTS_MAX = 200
"""Calls in doubt that are listed; `tidegate journal list` has all."""
_REASONS = {"webhook": "webhook", "operator": "resolved"}
_DECIDED = {"done": State.SETTLED, "none": State.RELEASED}
_PROBLEMS = {
    "no_call": (404, "The journal has no such call."),
    "ambiguous": (409, "Several calls have this key; say which by its id."),
    "at_work": (409, "The call is at work; its end is not known yet."),
    "contradiction": (409, "The call has ended otherwise; nothing was changed."),
    "unavailable": (503, "The journal is not available; nothing is known to be changed."),
}


class Desk:
    """`wall` is the clock that ages are told by."""

    def __init__(self, journal: Journal, wall: Callable[[], float]) -> None:
        self._journal = journal
        self._wall = wall

    async def tell(
        self, key: str, tenant: str | None, operation: str | None
    ) -> tuple[int, dict[str, Any]]:
        """(status, document) about the calls with this key, or with an id that begins so."""
        try:
            rows = await self._named(key, tenant, operation)
        except (StoreUnavailable, JournalError):
            return _problem("unavailable")
        return self._document(rows) if rows else _problem("no_call")

    async def doubts(self) -> tuple[int, dict[str, Any]]:
        """(status, document) of the calls that are in doubt, those for longest first."""
        try:
            rows = await self._journal.store.find(Query((State.IN_DOUBT,), limit=DOUBTS_MAX))
        except (StoreUnavailable, JournalError):
            return _problem("unavailable")
        return self._document(rows)

    async def take(
        self, key: str, tenant: str | None, operation: str | None, news: Mapping[str, Any]
    ) -> tuple[int, dict[str, Any]]:
        """(status, document) after news of a call.

        `news` has `execution` (done or none) and `reason`, and maybe `status`, `id` and `by`
        (webhook or operator), checked by whoever took them in.
        """
        try:
            rows = await self._named(key, tenant, operation)
            if "id" in news:
                rows = [row for row in rows if row.id.hex() == news["id"].lower()]
            if len(rows) != 1:
                return _problem("ambiguous" if rows else "no_call")
            return await self._decide(rows[0], news)
        except (StoreUnavailable, JournalError):
            return _problem("unavailable")

    async def _decide(self, row: Record, news: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        if row.state is _DECIDED[news["execution"]]:
            return self._document([row])
        if row.state in _DECIDED.values():
            return _problem("contradiction")
        if row.state is not State.IN_DOUBT or row.id in self._journal.runs:
            return _problem("at_work")
        by = _REASONS[news.get("by", "webhook")]
        made = (
            Settle(
                news.get("status", row.status),
                by,
                b"",
                news["reason"],
                by_operator=news.get("by") == "operator",
            )
            if news["execution"] == "done"
            else Release(by, of_all=True, note=news["reason"])
        )
        try:
            return self._document([await self._journal.step(row.id, row.token, made)])
        except Superseded:
            return _problem("at_work")

    async def _named(self, key: str, tenant: str | None, operation: str | None) -> Sequence[Record]:
        return [
            row
            for row in await self._journal.store.named(key)
            if tenant in (None, row.scope.tenant) and operation in (None, row.scope.operation)
        ]

    def _document(self, rows: Sequence[Record]) -> tuple[int, dict[str, Any]]:
        now = self._wall()
        return 200, {"schema": SCHEMA, "calls": [described(row, now) for row in rows]}


def _problem(reason: str) -> tuple[int, dict[str, Any]]:
    status, detail = _PROBLEMS[reason]
    return status, {"status": status, "reason": reason, "detail": detail}
