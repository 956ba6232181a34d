"""PURE. What a caller hears whose key was used before, where there is no answer to give."""

from __future__ import annotations

from proxy.idempotency.record import Record
from proxy.idempotency.settling import NEXT_STEP, SETTLED_BY
from proxy.model.call import Call
from proxy.model.outcome import Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase

MISMATCH = Refused(
    "key_reused", 422, "This idempotency key was used for another request; nothing was sent.",
    execution=Execution.UNKNOWN,
)  # fmt: skip
BUSY = Refused(
    "key_busy", 409, "The first call with this idempotency key is still at work.",
    Origin.PROXY, Execution.UNKNOWN, retry_after_s=1,
)  # fmt: skip
UNREADABLE = Refused(
    "answer_unreadable", 500, "The call was executed, but its stored answer cannot be opened.",
    Origin.PROXY, Execution.DONE,
)  # fmt: skip
UNREAD = Refused(
    "journal_unavailable", 503,
    "The journal is not available, so nothing was sent for this call.",
    Origin.PROXY, Execution.UNKNOWN, retry_after_s=1,
)  # fmt: skip
"""Before the journal was read nothing is known of the key: an earlier call may have run."""


def in_doubt(row: Record, wall: float) -> Refused:
    """Nobody knows yet, and nothing may be sent; with the age, and what is done about it."""
    age_s = max(0, int(wall - row.sent_at))
    return Refused(
        "in_doubt", 409,
        f"A call with this idempotency key was sent {age_s} s ago, and nobody knows yet "
        f"whether it was executed. {NEXT_STEP[row.settling]}",
        Origin.PROXY, Execution.UNKNOWN, retry_after_s=5, partner=row.partner,
        upstream=row.upstream,
    )  # fmt: skip


def without_answer(row: Record) -> Refused:
    """It was executed, and there is no answer to give: either its own could not be stored for
    what it holds, or an operator or a webhook said so, and what the partner answered, nobody
    knows.
    """
    if row.reason == "answered":
        return Refused(
            "answer_not_stored", 409,
            "The call was executed, but its answer holds what must not be stored.",
            Origin.PROXY, Execution.DONE, partner=row.partner, upstream=row.upstream,
        )  # fmt: skip
    return Refused(
        "resolved_done", 409, "The call was executed, but its answer is not known.",
        Origin.PROXY, Execution.DONE, partner=row.partner, upstream=row.upstream,
        settled_by=SETTLED_BY.get(row.reason, ""),
    )  # fmt: skip


def still_in_doubt(call: Call, outcome: Outcome) -> Outcome:
    """Whatever the repetition came to, the first sending is as unknown as before; it is refused
    only if no byte of it could leave.
    """
    if isinstance(outcome, InDoubt):
        return outcome
    for attempt in reversed(call.attempts):
        if attempt.sent_at:
            at = attempt.candidate.upstream
            return InDoubt(at.partner, at.name, Phase.BODY, "in_doubt", outcome.origin)
    return Refused(
        "in_doubt", 409,
        "The repetition was not sent; whether the call was executed is as unknown as before.",
        Origin.PROXY, Execution.UNKNOWN, retry_after_s=5, partner=outcome.partner,
        upstream=outcome.upstream,
    )  # fmt: skip
