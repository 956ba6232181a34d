"""PURE. The statements about rows, and rows from their columns; plain SQL, no dialect."""

from __future__ import annotations

from typing import Any

from proxy.idempotency.record import Record, State
from proxy.idempotency.rows import COLUMNS, MADE, record, values
from proxy.idempotency.store import Query

OPEN = "state IN ('claimed', 'sending', 'in_doubt')"
"""The condition of the index of rows without an end."""
_NAMES = ", ".join(COLUMNS)
_COUNT = len(COLUMNS)
_MARKS = ", ".join(f"${number}" for number in range(1, _COUNT + 2))
_COUNTED = ("blocked", "blocked_at")
"""The last columns. They are only added to, by NOTE_BLOCKED, and no change of a row writes them:
it may have been read before."""
_CHANGED = len(COLUMNS) - len(_COUNTED)
_CHANGES = ", ".join(
    f"{name} = ${number}" for number, name in enumerate(COLUMNS[:_CHANGED], 1) if number > 1
)
_OPEN_STATES = frozenset((State.CLAIMED, State.SENDING, State.IN_DOUBT))

READ = f"SELECT {_NAMES}, revision FROM tidegate_calls WHERE id = $1"  # noqa: S608
INSERT = (
    f"INSERT INTO tidegate_calls ({_NAMES}, revision) VALUES ({_MARKS}) "  # noqa: S608
    "ON CONFLICT (id) DO NOTHING RETURNING id"
)
UPDATE = (
    f"UPDATE tidegate_calls SET {_CHANGES}, revision = ${_CHANGED + 1} "  # noqa: S608
    f"WHERE id = $1 AND revision = ${_CHANGED + 2} RETURNING id"
)
NAMED = (
    f"SELECT {_NAMES}, revision FROM tidegate_calls "  # noqa: S608
    "WHERE idem_key = $1 OR id BETWEEN $2 AND $3 LIMIT $4"
)
LINKED = (
    "SELECT partner, upstream FROM tidegate_calls "  # noqa: S608
    f"WHERE (link_request = $1 OR link_answer = $1) AND {MADE} LIMIT $2"
)
_SINCE = "CASE WHEN sent_at = 0 THEN claimed_at ELSE sent_at END"
UNSETTLED = (
    f"SELECT state, partner, upstream, operation, count(*), min({_SINCE}), "  # noqa: S608
    f"count(CASE WHEN {_SINCE} < $1 THEN 1 END) FROM tidegate_calls WHERE {OPEN} "
    "GROUP BY state, partner, upstream, operation"
)
NOTE_BLOCKED = (
    "UPDATE tidegate_calls SET blocked = tidegate_calls.blocked + noted.number, "
    "blocked_at = greatest(tidegate_calls.blocked_at, noted.at) "
    "FROM unnest($1::bytea[], $2::bigint[], $3::double precision[]) AS noted(id, number, at) "
    "WHERE tidegate_calls.id = noted.id"
)
ANSWERS = "SELECT id, answer, revision FROM tidegate_calls WHERE id > $1 ORDER BY id LIMIT $2"
RESEAL = (
    "UPDATE tidegate_calls SET answer = $2, revision = $3 WHERE id = $1 AND revision = $4 "
    "RETURNING id"
)
DELETE_ENDED = (
    "DELETE FROM tidegate_calls WHERE id IN (SELECT id FROM tidegate_calls "
    "WHERE state IN ('settled', 'released') AND changed_kept < $1 "
    "ORDER BY changed_kept LIMIT $2) AND state IN ('settled', 'released') RETURNING id"
)
ORPHANS = (
    f"SELECT {_NAMES}, revision FROM tidegate_calls c WHERE {OPEN} AND owner <> $1 AND "  # noqa: S608
    "(owner = ANY($2::text[]) OR (NOT EXISTS (SELECT 1 FROM tidegate_owners o "
    "WHERE o.owner = c.owner AND o.expires_at > $3) AND (state <> 'sending' OR send_by < $3))) "
    "ORDER BY changed_at, id LIMIT $4"
)
"""Rows without an end whose run is dead: proven ($2), or its lease is over at $3, and whatever it
may still have meant to send must not begin any more."""


def changed(row: Record) -> tuple[Any, ...]:
    """The values that UPDATE writes."""
    return values(row)[:_CHANGED]


def row_of(columns: tuple[Any, ...]) -> tuple[Record, int]:
    """A row and its revision. Raises JournalError."""
    return record(columns[:-1]), columns[-1]


def find_statement(query: Query, owner: str) -> tuple[str, list[object]]:
    """What a query means in SQL; `owner` is whose rows are `mine`."""
    where = f"{OPEN} AND " if _OPEN_STATES.issuperset(query.states) else ""
    where += (
        "state = ANY($1::text[]) AND changed_at BETWEEN $2 AND $3 "
        "AND (changed_at > $4 OR (changed_at = $4 AND id > $5))"
    )
    states = [state.value for state in query.states]
    asked: list[object] = [states, query.changed_from, query.changed_to, *query.after]
    for column, wanted in (("partner", query.partner), ("owner", owner if query.mine else None)):
        if wanted is not None:
            asked.append(wanted)
            where += f" AND {column} = ${len(asked)}"
    if query.blocked:
        where += " AND blocked > 0"
    asked.append(query.limit)
    order = f"ORDER BY changed_at, id LIMIT ${len(asked)}"
    return f"SELECT {_NAMES}, revision FROM tidegate_calls WHERE {where} {order}", asked  # noqa: S608
