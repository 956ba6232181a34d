"""`proxy.guard.holder`: pybreaker holds the state, and nothing of it but that."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pybreaker
import pytest

from proxy.guard.holder import Holder
from proxy.guard.permit import State


class _WallClock(datetime):
    """The time of day that pybreaker sees."""

    at = datetime(2026, 1, 1, 12, tzinfo=UTC)

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return cls.at


def test_it_says_what_it_was_told() -> None:
    """Each change comes back through pybreaker's listener."""
    holder = Holder()
    said = [holder.state]
    for change in (holder.open, holder.half_open, holder.open, holder.half_open, holder.close):
        change()
        said.append(holder.state)
    assert said == [
        State.CLOSED, State.OPEN, State.HALF_OPEN, State.OPEN, State.HALF_OPEN, State.CLOSED,
    ]  # fmt: skip


def test_successes_in_a_row_are_counted_within_one_state() -> None:
    """A failure or a change begins the count anew."""
    holder = Holder()
    holder.half_open()
    assert [holder.succeeded(), holder.succeeded()] == [1, 2]
    holder.failed()
    assert holder.succeeded() == 1
    holder.open()
    holder.half_open()
    assert holder.succeeded() == 1


@pytest.mark.parametrize("hours", [-2, 2])
def test_the_wall_clock_changes_nothing(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Its own timer is never asked, so a jump opens nothing and closes nothing."""
    monkeypatch.setattr(pybreaker, "datetime", _WallClock)
    holder = Holder()
    holder.open()
    monkeypatch.setattr(_WallClock, "at", _WallClock.at + timedelta(hours=hours))
    said = [holder.state]
    holder.half_open()
    assert [*said, holder.state] == [State.OPEN, State.HALF_OPEN]
