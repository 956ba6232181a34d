"""What operators see of a journal: lists, one call, and an export after an outage.

It reads the file itself, beside a running sidecar or without one. No answer's
content is shown, and no row has a part of a request.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from proxy.idempotency.record import Instant, Record, Release, Settle, State
from proxy.idempotency.rows import record, values
from proxy.idempotency.sqlite import transaction
from proxy.idempotency.sqlite_open import connect, lock_out_others, usable
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.sqlite_schema import READ, SAVE
from proxy.idempotency.store import Query
from proxy.idempotency.transitions import step
from proxy.model.errors import StartError

CLASSES = {
    State.CLAIMED: "never_sent",
    State.RELEASED: "never_sent",
    State.SENDING: "unknown",
    State.IN_DOUBT: "unknown",
    State.SETTLED: "done",
}
"""What can be said of a call after an outage. `never_sent` stands for never executed, too: it is
proven that the partner did nothing."""
_NEXT = {
    State.CLAIMED: "Nothing was sent yet; a retry with the same key is safe.",
    State.RELEASED: "Nothing was executed; the key may be used again.",
    State.SENDING: "At work, or its sidecar died: a restart of the sidecar says which.",
    State.IN_DOUBT: (
        "Ask the partner by the reference or by the partner's key, then: tidegate journal resolve."
    ),
    State.SETTLED: "Ended; a retry with the same key gets the stored answer.",
}
_PAGE = 1000
_TABLE = ("changed_at", "state", "partner", "upstream", "operation", "status", "reason", "key")


def described(row: Record, now: float) -> dict[str, Any]:
    """One row as members with a stable meaning; instants are ISO 8601 in UTC."""
    return {
        "id": row.id.hex(),
        "key": row.scope.key,
        "tenant": row.scope.tenant,
        "group": row.scope.group,
        "operation": row.scope.operation,
        "class": CLASSES[row.state],
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
        "note": row.note,
        "next": _NEXT[row.state],
    }


def table(rows: Iterable[Record], now: float) -> str:
    """Rows for a terminal, a line each."""
    lines = [_TABLE] + [tuple(str(described(row, now)[name]) for name in _TABLE) for row in rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(_TABLE))]
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def all_rows(path: Path, query: Query) -> Iterator[Record]:
    """Every row that a query asks for, page after page, up to its limit."""
    left = query.limit
    while left > 0:
        page = find(path, replace(query, limit=min(_PAGE, left)))
        yield from page
        if len(page) < _PAGE:
            return
        left -= len(page)
        query = replace(query, after=(page[-1].changed_at, page[-1].id))


def named(path: Path, name: str) -> list[Record]:
    """The rows with this key, in whatever scope, or with an id that begins so."""
    return [
        row
        for row in all_rows(path, Query(limit=1_000_000_000))
        if row.scope.key == name or (len(name) >= 6 and row.id.hex().startswith(name.lower()))
    ]


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


def resolve(path: Path, row_id: bytes, *, done: bool, reason: str, wall: float) -> Record:
    """An operator's word on a call, recorded with the reason. Raises StartError, JournalError.

    It needs the file for itself, so the sidecar must not run.
    """
    if not path.exists():
        raise StartError(f"there is no journal {path}; check `journal.path`")
    with usable(path), lock_out_others(path):
        connection = connect(path)
        try:
            with transaction(connection):
                found = connection.execute(READ, (row_id,)).fetchone()
                if found is None:
                    raise StartError(f"there is no call {row_id.hex()} in {path}")
                row = record(found)
                made = (
                    Settle(row.status, "resolved", b"", reason)
                    if done
                    else Release("resolved", of_all=True, note=reason)
                )
                after = step(row, row.token, made, Instant(wall, row.changed_kept))
                connection.execute(SAVE, values(after))
        finally:
            connection.close()
    return after


def _instant(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(timespec="milliseconds") if wall else ""
