"""PURE. A row in members with a stable meaning: what operators, reports and webhooks see.

No answer's content is among them, and no row has a part of a request.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from proxy.idempotency.record import Record, State
from proxy.idempotency.settling import PROVEN_LATER, Settling

_CLASSES = {State.SENDING: "unknown", State.IN_DOUBT: "unknown", State.SETTLED: "done"}
_NEXT = {
    State.CLAIMED: "Nothing was sent yet; a retry with the same key is safe.",
    State.RELEASED: "Nothing was executed; the key may be used again.",
    State.SENDING: "At work, or its sidecar died: a restart of the sidecar says which.",
    State.IN_DOUBT: (
        "The partner's `settle` mode may end it, or a retry with the same key. Otherwise ask the "
        "partner, then: tidegate journal resolve."
    ),
    State.SETTLED: "Ended; a retry with the same key gets the stored answer.",
}
_LEFT_ALONE = "Settling has given up. Ask the partner, then: tidegate journal resolve."
_NO_ANSWER = "Ended without a stored answer; a retry with the same key gets 409, execution done."
_TABLE = (
    "changed_at", "state", "partner", "upstream", "operation", "status", "reason", "blocked", "key",
)  # fmt: skip


def class_of(row: Record) -> str:
    """What can be said of a call after an outage: done, unknown, never_sent or not_executed.

    Of a call that is `not_executed` something was sent under its key, and it was proven
    afterwards that nothing was executed: by an answer, an inquiry, a reversal or somebody's word.
    """
    known = _CLASSES.get(row.state)
    if known is not None:
        return known
    return "not_executed" if row.note or row.reason in PROVEN_LATER else "never_sent"


def described(row: Record, now: float) -> dict[str, Any]:
    """One row as members with a stable meaning; instants are ISO 8601 in UTC."""
    return {
        "id": row.id.hex(),
        "key": row.scope.key,
        "tenant": row.scope.tenant,
        "group": row.scope.group,
        "operation": row.scope.operation,
        "class": class_of(row),
        "state": row.state.value,
        "execution": row.execution,
        "partner": row.partner,
        "upstream": row.upstream,
        "status": row.status,
        "reason": row.reason,
        "attempts": row.attempt,
        "doubts": row.doubts,
        "reference": row.reference,
        "partner_key": row.partner_key,
        "claimed_at": _instant(row.claimed_at),
        "sent_at": _instant(row.sent_at),
        "changed_at": _instant(row.changed_at),
        "age_s": round(max(0.0, now - (row.sent_at or row.claimed_at)), 3),
        "answer_stored": bool(row.answer),
        "blocked": row.blocked,
        "blocked_at": _instant(row.blocked_at),
        "settling": row.settling,
        "note": row.note,
        "next": _next(row),
    }


def _next(row: Record) -> str:
    if row.settling in (Settling.GAVE_UP, Settling.UNREVERSED):
        return _LEFT_ALONE
    if row.state is State.SETTLED and not row.answer:
        return _NO_ANSWER
    return _NEXT[row.state]


def table(rows: Iterable[Record], now: float) -> str:
    """Rows for a terminal, a line each."""
    lines = [_TABLE] + [tuple(str(described(row, now)[name]) for name in _TABLE) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TABLE))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def export(rows: Iterable[Record], form: str, out: TextIO, now: float) -> int:
    """Write rows as JSON Lines or CSV; how many there were."""
    number = 0
    writer: csv.DictWriter[str] | None = None
    for row in rows:
        number += 1
        members = described(row, now)
        if form == "jsonl":
            out.write(json.dumps(members) + "\n")
            continue
        if writer is None:
            writer = csv.DictWriter(out, list(members))
            writer.writeheader()
        writer.writerow(members)
    return number


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds") if wall else ""
