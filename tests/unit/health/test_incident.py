"""`proxy.health.incident`: one incident, its timeline, and what is told of it."""

from __future__ import annotations

from proxy.health.incident import TIMELINE_MAX, Incident


def _incident() -> Incident:
    return Incident(
        "1", ("acme",), ("acme-eu",), ("acme-eu",), "connect", "failed", "refused", "partner",
        "high", "It is refused.", [], since=1.0, opened_at=2.0, named_after_s=1.0,
        impact=(4, 5, 6, 1, 2, 3), part_of="0",
    )  # fmt: skip


def test_it_is_told_with_what_it_did_to_calls() -> None:
    """And with the incident that it is a part of."""
    event = _incident().told("closed")
    assert (event.change, event.id, event.part_of) == ("closed", "1", "0")
    assert (event.calls_failed, event.calls_in_doubt, event.calls_moved) == (4, 5, 6)


def test_a_timeline_keeps_how_it_began_and_what_was_last() -> None:
    """However long it flaps."""
    each = _incident()
    for number in range(3 * TIMELINE_MAX):
        each.note(float(number), "breaker", "")
    assert len(each.timeline) == TIMELINE_MAX
    assert (each.timeline[0][0], each.timeline[-1][0]) == (0.0, 3 * TIMELINE_MAX - 1.0)
