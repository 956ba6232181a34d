"""PURE. From how a call ended to what is written about its key."""

from __future__ import annotations

from collections.abc import Sequence

from proxy.idempotency.record import Doubt, Release, Settle, Step
from proxy.idempotency.settling import SENT_BEFORE
from proxy.model.call import Attempt, Ticket
from proxy.model.outcome import Answered, Execution, Outcome


def ending(
    ticket: Ticket,
    outcome: Outcome,
    answer: bytes,
    attempts: Sequence[Attempt] = (),
    link: bytes = b"",
) -> Step | None:
    """The step for a call that ended; `answer` is the sealed one, if the partner gave any, and
    `link` what its payment will be found by.

    None where nothing changes: a repetition that was never sent leaves the doubt as it was.
    """
    status = outcome.response.status if isinstance(outcome, Answered) else 0
    if not ticket.fenced:
        return None if ticket.resend else Release(outcome.reason)
    if outcome.execution is Execution.DONE and (not ticket.resend or conclusive(ticket, status)):
        return Settle(status, outcome.reason, answer, link=link)
    if outcome.execution is Execution.NONE and not ticket.resend:
        hidden = not isinstance(outcome, Answered) and any(each.sent_at for each in attempts)
        return Release(outcome.reason, note=SENT_BEFORE + "answered" if hidden else "")
    return Doubt(outcome.reason, status, answer)


def conclusive(ticket: Ticket, status: int) -> bool:
    """Whether an answer to a repeated request says what became of the first one.

    Partners look a key up after they have looked at credentials, at the form of
    the request and at their own load; a refusal from there knows nothing of it.
    """
    return status < 400 or status in ticket.conclusive
