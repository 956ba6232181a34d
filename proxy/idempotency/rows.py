"""PURE. A record as columns, the same for every store: names and types are the schema's."""

from __future__ import annotations

import re
from typing import Any

from proxy.idempotency.record import JournalError, Record, Scope, State

COLUMNS = (
    "id", "tenant", "scope_group", "operation", "idem_key", "fingerprint", "state", "token",
    "owner", "call", "claimed_at", "changed_at", "changed_kept", "attempt", "partner", "upstream",
    "partner_key", "sent_at", "sent_kept", "doubts", "send_by", "status", "execution", "reason",
    "answer", "note", "reference", "settling", "link_request", "link_answer", "blocked",
    "blocked_at",
)  # fmt: skip
"""In the order of the values below."""
LINKS = ("link_request", "link_answer")
"""Null where there is none, so that the indexes of them have only what leads somewhere."""
_REQUEST, _ANSWER = (COLUMNS.index(name) - len(COLUMNS) for name in LINKS)
MADE = "state IN ('in_doubt', 'settled')"
"""The rows of calls that made a payment, or may have: of one at work nobody knows yet where."""
_ID_BEGINNING = re.compile(r"[0-9a-f]{6,32}")
"""Fewer digits than six could be the beginning of anything."""


def values(row: Record) -> tuple[Any, ...]:
    """A record as the values of its columns."""
    scope = row.scope
    return (
        row.id, scope.tenant, scope.group, scope.operation, scope.key, row.fingerprint,
        row.state.value, row.token, row.owner, row.call, row.claimed_at, row.changed_at,
        row.changed_kept, row.attempt, row.partner, row.upstream, row.partner_key, row.sent_at,
        row.sent_kept, row.doubts, row.send_by, row.status, row.execution, row.reason, row.answer,
        row.note, row.reference, row.settling, row.link_request or None, row.link_answer or None,
        row.blocked, row.blocked_at,
    )  # fmt: skip


def record(columns: tuple[Any, ...]) -> Record:
    """A record from the values of its columns. Raises JournalError for a state that is none."""
    row_id, tenant, group, operation, key, fingerprint, state, *rest = columns
    rest[_REQUEST], rest[_ANSWER] = rest[_REQUEST] or b"", rest[_ANSWER] or b""
    try:
        known = State(state)
    except ValueError:
        raise JournalError(f"the row {row_id.hex()} has the state {state!r}") from None
    return Record(row_id, Scope(tenant, group, operation, key), fingerprint, known, *rest)


def id_bounds(beginning: str) -> tuple[bytes, bytes] | None:
    """The first and the last id whose hexadecimal form begins so; None if none can be meant."""
    digits = beginning.lower()
    if not _ID_BEGINNING.fullmatch(digits):
        return None
    return bytes.fromhex(digits.ljust(32, "0")), bytes.fromhex(digits.ljust(32, "f"))
