"""`proxy.model.bulkhead`: the order of priorities, and their words."""

from __future__ import annotations

from proxy.model.bulkhead import Priority


def test_payments_are_the_last_to_go() -> None:
    """In the order that the documentation gives."""
    words = [priority.word for priority in sorted(Priority, reverse=True)]
    assert words == ["payment", "authentication", "back_office", "best_effort"]
