"""`proxy.model.call`: what the record of a call says."""

from __future__ import annotations

import pytest

from tests.support.values import attempt, call


@pytest.mark.parametrize(
    ("sent_ats", "sent"),
    [((), False), ((0.0,), False), ((5.0,), True), ((5.0, 0.0), True), ((0.0, 7.0), True)],
)
def test_a_call_was_sent_when_any_of_its_attempts_was(
    sent_ats: tuple[float, ...], sent: bool
) -> None:
    """A later attempt that failed unsent does not undo an earlier write."""
    made = call()
    made.attempts = [attempt(number, sent_at=at) for number, at in enumerate(sent_ats, 1)]
    assert made.sent is sent
