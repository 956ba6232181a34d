"""Calls that ended, for the tests of traces."""

from __future__ import annotations

from typing import Any

from proxy.model.call import Call, Ticket
from proxy.model.events import CallEnded
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from tests.support.values import attempt, call, candidate, response

UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)
DOUBT = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)


def done(status: int = 200, **over: Any) -> Answered:
    """An answer that proves what it says."""
    return Answered("acme", "a", response(status), Execution.DONE, **over)


def ended(*outcomes: Outcome, seconds: float = 0.1, flags: bytes = b"02") -> CallEnded:
    """A call with an attempt for each outcome; the last is its own."""
    made = call()
    made.trace_flags = flags
    for number, outcome in enumerate(outcomes, 1):
        at = made.arrived_at
        record = attempt(
            number, candidate("a" if outcome.upstream == "a" else "b"), outcome=outcome,
            span_id=b"%016x" % number, begun_at=at, queued_at=at, sent_at=at + 0.01,
            ended_at=at + seconds, first_byte_at=at + 0.05,
        )  # fmt: skip
        made.attempts.append(record)
    return CallEnded(made, outcomes[-1], made.arrived_at + seconds)


def keyed(made: Call, row_id: bytes = b"r" * 16) -> Call:
    """The same call under a key."""
    made.ticket = Ticket(row_id, 1, 0, "key", False, None, frozenset())
    return made
