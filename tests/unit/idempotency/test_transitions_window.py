"""Rules for the partner's window: it begins with the first sending that may have been executed."""

from __future__ import annotations

from proxy.idempotency.record import Doubt, State, Verdict
from proxy.idempotency.transitions import claim, step
from tests.unit.idempotency.values import NOW, WINDOW_S, fence, later, row, wanted


def test_a_second_attempt_of_a_repetition_does_not_move_the_window() -> None:
    """The repetition was turned away and tried again, hours later: the partner still counts from
    the first sending, and would execute what it has forgotten.
    """
    _, again = claim(row(State.IN_DOUBT), wanted(), later(1.0))
    for attempt, after_s in ((2, 2.0), (3, WINDOW_S - 1.0)):
        again = step(again, again.token, fence(attempt=attempt), later(after_s))
        assert (again.sent_at, again.sent_kept) == (NOW.wall, NOW.kept)
    again = step(again, again.token, Doubt("reset"), later(WINDOW_S - 0.5))
    assert claim(again, wanted(), later(WINDOW_S + 1.0))[0] is Verdict.IN_DOUBT


def test_an_attempt_that_was_proven_unexecuted_does_not_open_the_window() -> None:
    """The next candidate's is the first that counts."""
    sending = row(State.SENDING)
    after = step(sending, sending.token, fence(attempt=2, upstream="b"), later(5.0))
    assert (after.sent_at, after.sent_kept) == (NOW.wall + 5.0, NOW.kept + 5.0)
