"""`proxy.idempotency.transitions`: what is in doubt may be repeated by another way out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from proxy.idempotency.record import JournalError, State
from proxy.idempotency.transitions import step
from tests.unit.idempotency.values import NOW, fence, row

WAYS = frozenset(("a", "b"))


def test_another_way_to_the_same_endpoint() -> None:
    """And back again; the window counts from the first sending all the same."""
    doubtful = row(State.IN_DOUBT)
    other = fence(attempt=2, upstream="b", same_endpoint=WAYS)
    again = step(doubtful, doubtful.token, other, NOW)
    assert (again.upstream, again.partner_key) == ("b", doubtful.partner_key)
    assert (again.sent_at, again.sent_kept) == (doubtful.sent_at, doubtful.sent_kept)
    back = step(again, again.token, fence(attempt=3, same_endpoint=WAYS), NOW)
    assert back.upstream == "a"


@pytest.mark.parametrize(
    "over",
    [
        {"upstream": "c", "same_endpoint": frozenset("c")},
        {"upstream": "b", "same_endpoint": frozenset("b")},
        {"upstream": "b", "same_endpoint": WAYS, "partner_key": "tg-2"},
    ],
    ids=["another endpoint", "nobody says that it is the same", "another key"],
)
def test_no_other_way(over: dict[str, Any]) -> None:
    """It would be a second payment."""
    doubtful = row(State.IN_DOUBT)
    with pytest.raises(JournalError, match="elsewhere"):
        step(doubtful, doubtful.token, replace(fence(attempt=2), **over), NOW)
