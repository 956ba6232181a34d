"""`proxy.health.phases`: how long each phase took, of the attempts of the last minute."""

from __future__ import annotations

from typing import Any

import pytest

from proxy.health.phases import Phases
from tests.support.values import attempt, candidate

_FRESH: dict[str, Any] = {
    "begun_at": 10.0, "queued_at": 10.1, "resolved_at": 10.3, "connected_at": 10.6,
    "secured_at": 11.0, "sent_at": 11.5, "first_byte_at": 12.1, "ended_at": 12.8,
}  # fmt: skip


def _p50(phases: Phases, now: float = 13.0) -> dict[str, float]:
    return {row["phase"]: row["p50_ms"] for row in phases.report("a", now)}


def test_each_phase_of_a_new_connection_has_its_time() -> None:
    """In their order, in milliseconds."""
    phases = Phases()
    phases.note(attempt(at=candidate("a"), **_FRESH))
    assert _p50(phases) == {
        "queue": 100.0, "resolve": 200.0, "connect": 300.0, "tls": 400.0, "send": 500.0,
        "first_byte": 600.0, "body": 700.0,
    }  # fmt: skip


def test_a_connection_that_was_there_has_no_way_to_it() -> None:
    """What was not met has no row."""
    phases = Phases()
    phases.note(attempt(at=candidate("a"), begun_at=10.0, queued_at=10.1, sent_at=10.2,
                        first_byte_at=10.5, ended_at=10.6))  # fmt: skip
    assert list(_p50(phases)) == ["queue", "send", "first_byte", "body"]


def test_the_phase_in_which_it_was_cut_has_its_time_too() -> None:
    """A connection that times out shows where."""
    phases = Phases()
    phases.note(attempt(at=candidate("a"), begun_at=10.0, queued_at=10.0, resolved_at=10.1,
                        ended_at=12.1))  # fmt: skip
    assert _p50(phases)["connect"] == 2000.0


@pytest.mark.no_cover  # volume
def test_ten_a_second_are_noted_and_a_minute_is_told() -> None:
    """However many calls there are, and whatever was before."""
    phases = Phases()
    for number in range(100_000):
        ended_at = 100.0 + number / 1000
        phases.note(attempt(at=candidate("a"), begun_at=ended_at - 0.01, queued_at=ended_at - 0.01,
                            ended_at=ended_at))  # fmt: skip
    rows = phases.report("a", 200.0)
    assert 500 <= rows[0]["attempts"] <= 601
    assert phases.report("a", 1000.0) == []
    assert phases.report("nobody", 0.0) == []


def test_the_slowest_stands_out() -> None:
    """p50, p95 and the slowest of the same attempts."""
    phases = Phases()
    for number in range(100):
        took, begun_at = 1.0 if number == 99 else 0.01, 10.0 + number / 5
        phases.note(attempt(at=candidate("a"), begun_at=begun_at, queued_at=begun_at + took,
                            ended_at=begun_at + took))  # fmt: skip
    row = phases.report("a", 31.0)[0]
    assert (row["p50_ms"], row["p95_ms"], row["max_ms"]) == (10.0, 10.0, 1000.0)
