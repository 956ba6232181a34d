"""Rules for rows: what no chain of steps leads to is refused wherever it is met."""

from __future__ import annotations

from copy import copy
from typing import Any

import pytest

from proxy.idempotency.record import JournalError, State, check
from tests.unit.idempotency.values import row


@pytest.mark.parametrize("state", State)
def test_a_row_that_came_by_steps_is_good(state: State) -> None:
    """In every state."""
    check(row(state))


@pytest.mark.parametrize(
    ("state", "name", "value"),
    [
        (State.CLAIMED, "id", b"short"),
        (State.CLAIMED, "fingerprint", b"short"),
        (State.CLAIMED, "token", 0),
        (State.CLAIMED, "sent_at", 1.0),
        (State.CLAIMED, "answer", b"x"),
        (State.CLAIMED, "execution", "done"),
        (State.SENDING, "partner", ""),
        (State.SENDING, "upstream", ""),
        (State.SENDING, "attempt", 0),
        (State.SENDING, "sent_at", 0.0),
        (State.SENDING, "execution", "none"),
        (State.IN_DOUBT, "doubts", 0),
        (State.IN_DOUBT, "execution", "done"),
        (State.SETTLED, "execution", "unknown"),
        (State.RELEASED, "doubts", 1),
        (State.RELEASED, "execution", "unknown"),
    ],
)
def test_a_row_that_cannot_be_is_refused(state: State, name: str, value: Any) -> None:
    """Somebody changed it by hand, or a bug did; nothing is sent or replayed by it."""
    changed = copy(row(state))
    setattr(changed, name, value)
    with pytest.raises(JournalError, match="cannot be"):
        check(changed)
