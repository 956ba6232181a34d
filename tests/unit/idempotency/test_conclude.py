"""Rules for what is written about a key when its call has ended."""

from __future__ import annotations

import pytest

from proxy.idempotency.conclude import conclusive, ending
from proxy.idempotency.record import Doubt, Release, Settle, Step
from proxy.model.call import Attempt, Ticket
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from tests.support.values import candidate, response

DONE = Answered("acme", "a", response(201), Execution.DONE)
FAILED = Answered("acme", "a", response(500), Execution.UNKNOWN)
BUSY = Answered("acme", "a", response(429), Execution.NONE)
UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)
LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)
REFUSED = Refused("deadline", 504, "Late.", Origin.PROXY)


def ticket(*, resend: bool = False, fenced: bool = True) -> Ticket:
    """A hold on a key whose partner tells declines of repetitions apart."""
    return Ticket(
        b"i" * 16, 1, 0, "tg-1", resend, "a" if resend else None, frozenset({402}), fenced
    )


@pytest.mark.parametrize(
    ("outcome", "resend", "fenced", "made"),
    [
        (DONE, False, True, Settle(201, "answered", b"sealed")),
        (FAILED, False, True, Doubt("answered", 500, b"sealed")),
        (BUSY, False, True, Release("answered")),
        (UNSENT, False, True, Release("refused")),
        (LOST, False, True, Doubt("timeout", 0, b"sealed")),
        (REFUSED, False, True, Release("deadline")),
        (REFUSED, False, False, Release("deadline")),
        (DONE, True, True, Settle(201, "answered", b"sealed")),
        (FAILED, True, True, Doubt("answered", 500, b"sealed")),
        (BUSY, True, True, Doubt("answered", 429, b"sealed")),
        (UNSENT, True, True, Doubt("refused", 0, b"sealed")),
        (LOST, True, True, Doubt("timeout", 0, b"sealed")),
        (REFUSED, True, False, None),
    ],
)
def test_the_whole_table(outcome: Outcome, resend: bool, fenced: bool, made: Step | None) -> None:
    """A repetition that fails never frees the key: the first sending is as unknown as before."""
    assert ending(ticket(resend=resend, fenced=fenced), outcome, b"sealed") == made


@pytest.mark.parametrize(("sent_at", "note"), [(0.0, ""), (1.0, "sent before: answered")])
def test_an_attempt_that_was_sent_is_remembered_when_a_later_one_was_not(
    sent_at: float, note: str
) -> None:
    """The reason is the last attempt's, and would say that nothing ever left."""
    tried = Attempt(number=1, candidate=candidate("a"), begun_at=0.0, sent_at=sent_at)
    assert ending(ticket(), UNSENT, b"", [tried]) == Release("refused", note=note)
    assert ending(ticket(), BUSY, b"", [tried]) == Release("answered")


@pytest.mark.parametrize(
    ("status", "says"), [(200, True), (303, True), (402, True), (401, False), (404, False)]
)
def test_a_refusal_of_a_repetition_says_nothing_of_the_first_sending(
    status: int, says: bool
) -> None:
    """Partners look at credentials and form first; unless they say otherwise."""
    assert conclusive(ticket(resend=True), status) is says
    answered = Answered("acme", "a", response(status), Execution.DONE)
    made = ending(ticket(resend=True), answered, b"")
    assert isinstance(made, Settle if says else Doubt)
