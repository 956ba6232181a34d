"""PURE. How a call in doubt is undone, and what the partner's answer to that proves."""

from __future__ import annotations

import hashlib
import json

from proxy.idempotency.inquiry import filled
from proxy.idempotency.record import Record, Release
from proxy.idempotency.settling import REVERSED
from proxy.model.settling import Question, Reversal


def question(reversal: Reversal, row: Record) -> Question:
    """The reversal as a request; `row` as it is since this one was written down."""
    headers = []
    body = b""
    if reversal.body is not None:
        text = json.dumps(row.reference)[1:-1]
        body = reversal.body.replace("{reference}", text).encode()
        headers.append((b"Content-Type", b"application/json"))
    if reversal.key_header is not None:
        headers.append((reversal.key_header, key(row, reversal.key_length_max).encode()))
    target = filled(reversal.target, row.reference)
    return Question(reversal.method, target, "void", tuple(headers), body)


def key(row: Record, length_max: int) -> str:
    """The partner's own key for this one reversal, which has raised the row's token.

    Never the same twice: under a key that it knows, the partner would say again that
    it has no such call, though that has arrived meanwhile, or that it has undone one,
    though that was an earlier run's. What makes repetitions harmless is the reference.
    """
    named = f"{row.id.hex()}:{row.token}"
    digest = hashlib.sha256(b"reversal key:" + named.encode()).hexdigest()
    return f"tg-{digest}"[:length_max]


def proven(
    reversal: Reversal, status: int, age_s: float, *, alone: bool, lost: bool
) -> Release | None:
    """The end of the row, if the partner's answer is one; `age_s` is how long it was watched.

    That there is nothing to reverse is believed when the call has had time to
    arrive. So is `done`, unless the call was `alone`, the first one ever sent
    under its key: the partner may speak of an earlier one, reversed before. If a
    reversal was `lost` before, it may be the reason why there is nothing any more.
    """
    if status in reversal.done_statuses and (alone or age_s >= reversal.absent_after_s):
        return Release(REVERSED, of_all=True)
    if status in reversal.nothing_statuses and age_s >= reversal.absent_after_s:
        return Release("nothing_to_reverse", of_all=True, keeps_key=not lost)
    return None
