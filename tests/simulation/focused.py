"""The machine with an eye on one corner, for mistakes that few histories of all would show."""

from __future__ import annotations

from tests.simulation.machine import JournalMachine, SharedJournalMachine
from tests.simulation.store import Weather


class SlowJournalMachine(JournalMachine):
    """A slow store in every history, at first."""

    weather_first = Weather.SLOW


class MissedSidecarMachine(SharedJournalMachine):
    """Two sidecars that stop, are missed and go on. What has no part in that does not happen, so
    that it happens in every few histories.
    """

    clock_jumps = hang_up = operator = upstream = weather = None  # type: ignore[assignment]
    kill = pay_at_once = start = tick = None  # type: ignore[assignment]
