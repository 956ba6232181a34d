"""Rules for asking a store."""

from __future__ import annotations

from proxy.idempotency.record import State
from proxy.idempotency.store import Query


def test_a_query_without_limits_is_bounded() -> None:
    """Every state and time, and a thousand rows at most."""
    query = Query()
    assert set(query.states) == set(State)
    assert (query.changed_from, query.changed_to) == (0.0, float("inf"))
    assert query.limit == 1000
