"""Rules for the reply that stands in for a partner's on a best-effort route."""

from __future__ import annotations

import pytest

from proxy.model.bulkhead import BestEffort
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.pipeline.rescue import reply_to
from tests.support.values import attempt, call, candidate, headers, response, route

REPLY = response(202, headers(("Content-Type", "text/plain")), b"queued")
ROUTE = route(candidate(), best_effort=BestEffort(REPLY, wait=True, at_work_max=9))
FAILED: list[tuple[Outcome, str, str]] = [
    (InDoubt("acme", "a", Phase.FIRST_BYTE, "deadline", Origin.NETWORK), "deadline", "unknown"),
    (Unsent("acme", "a", Phase.CONNECT, "refused", Origin.NETWORK), "refused", "none"),
    (Refused("shed", 503, "Too much.", Origin.PROXY), "shed", "none"),
    (Answered("acme", "a", response(502), Execution.UNKNOWN), "status_502", "unknown"),
]


@pytest.mark.parametrize(("outcome", "reason", "execution"), FAILED)
def test_whatever_fails_the_configured_reply_stands_in(
    outcome: Outcome, reason: str, execution: str
) -> None:
    """Marked as ours, with why, and with what is known of the execution."""
    asked = call(taken=ROUTE)
    asked.attempts.append(attempt())
    reply = reply_to(asked, outcome)
    assert (reply.status, reply.headers, reply.body) == (202, REPLY.headers, b"queued")
    labels = reply.labels.decode()
    assert "Tidegate-Outcome: substituted\r\n" in labels
    assert f"Tidegate-Reason: {reason}\r\n" in labels
    assert f"Tidegate-Execution: {execution}\r\n" in labels
    assert "Tidegate-Attempts: 1\r\n" in labels
    assert f"Tidegate-Call: {asked.id}\r\n" in labels


@pytest.mark.parametrize("status", [200, 302, 404, 429])
def test_an_answer_of_the_partner_passes(status: int) -> None:
    """It has something to say to the application, and is labelled as before."""
    answer = Answered("acme", "a", response(status), Execution.DONE)
    reply = reply_to(call(taken=ROUTE), answer)
    assert reply.status == status
    assert b"Tidegate-Outcome: answered\r\n" in reply.labels
    assert b"Tidegate-Reason" not in reply.labels


@pytest.mark.parametrize(("outcome", "reason", "execution"), FAILED)
def test_no_other_route_has_anything_standing_in(
    outcome: Outcome, reason: str, execution: str
) -> None:
    """A payment's failure is told as it is."""
    assert b"substituted" not in reply_to(call(), outcome).labels
