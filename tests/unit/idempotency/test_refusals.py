"""Rules for what a caller hears whose key was used before."""

from __future__ import annotations

from dataclasses import replace

from proxy.idempotency.record import State
from proxy.idempotency.refusals import in_doubt, still_in_doubt, without_answer
from proxy.model.call import Attempt
from proxy.model.outcome import Execution, InDoubt, Origin, Refused, Unsent
from proxy.model.phase import Phase
from tests.support.values import call, candidate
from tests.unit.idempotency.values import NOW, row

UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)


def test_the_age_of_a_doubt_is_never_below_zero() -> None:
    """The wall clock may have been set back meanwhile."""
    doubt = row(State.IN_DOUBT)
    assert "was sent 40 s ago" in in_doubt(doubt, NOW.wall + 40.0).detail
    assert "was sent 0 s ago" in in_doubt(doubt, NOW.wall - 40.0).detail


def test_why_there_is_no_answer_is_told_apart() -> None:
    """Its own could not be stored, or somebody else said that it was executed."""
    own = replace(row(State.SETTLED), answer=b"", reason="answered")
    told = without_answer(own)
    assert (told.reason, told.execution, told.settled_by) == (
        "answer_not_stored", Execution.DONE, "",
    )  # fmt: skip
    told = without_answer(replace(own, reason="resolved"))
    assert (told.reason, told.execution, told.settled_by) == (
        "resolved_done", Execution.DONE, "operator",
    )  # fmt: skip


def test_a_repetition_is_refused_only_if_nothing_of_it_left() -> None:
    """The upstream of what was sent is told, whatever the last attempt came to."""
    made = call()
    assert isinstance(still_in_doubt(made, UNSENT), Refused)
    made.attempts.append(Attempt(number=1, candidate=candidate("b"), begun_at=0.0))
    assert isinstance(still_in_doubt(made, UNSENT), Refused)
    made.attempts[0].sent_at = 1.0
    told = still_in_doubt(made, UNSENT)
    assert told == InDoubt("acme", "b", Phase.BODY, "in_doubt", UNSENT.origin)
