"""PURE. What waits to be told to one receiver: bounded, without flapping, within a rate.

An incident is told when it opens, when what is known of it changes, again after
`repeat_s` while it goes on, and when it ends. What was not told yet is never told
twice: a change takes the place of the opening that still waits, and an incident
that ended before it was told is not told at all. The end of one that was told is
never dropped for the rate: whoever heard that a partner has degraded hears that it
has recovered, if late.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace

from proxy.model.events import IncidentChanged
from proxy.model.health import AlertLimits

_CLOSED = "closed"
_HOUR_S = 3600.0
_TOLD_MAX = 1000
"""Incidents that go on at once are few; one that is forgotten here ends without a word."""
_CHANGE_S = 10.0
"""What is known of a new incident may change a few times at first; told once they are over."""


class Outbox:
    """`take` what changed; `due` gives what is to be told now. Instants are monotonic."""

    def __init__(self, limits: AlertLimits) -> None:
        self._limits = limits
        self._waiting: dict[str, tuple[float, IncidentChanged]] = {}
        """By incident: not before when, and what."""
        self._told: dict[str, tuple[float, IncidentChanged]] = {}
        """Incidents that go on and were told: when last, and what."""
        self._sent: deque[float] = deque(maxlen=limits.per_hour_max)
        self.dropped = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def take(self, event: IncidentChanged, now: float) -> None:
        """One change of one incident."""
        before = self._waiting.pop(event.id, None)
        if event.change == _CLOSED:
            if event.id in self._told:
                self._wait(now, event, now)
        elif before is not None:
            first, was = before
            self._wait(first, replace(event, change=was.change), now)
        else:
            self._wait(now + (_CHANGE_S if event.change == "changed" else 0.0), event, now)

    def recall(self, event: IncidentChanged, now: float) -> None:
        """One that goes on, and that an earlier run has told."""
        self._remember(event.id, event, now)

    def due(self, now: float) -> IncidentChanged | None:
        """The next one to tell, which counts as told; None for nothing yet."""
        self._repeat(now)
        full = len(self._sent) == self._limits.per_hour_max and now - self._sent[0] < _HOUR_S
        for id_, (not_before, event) in self._waiting.items():
            if not_before > now or (full and event.change == _CLOSED):
                continue
            del self._waiting[id_]
            if not full:
                self._sent.append(now)
                self._remember(id_, event, now)
                return event
            self._drop(event, now)
            return None
        return None

    def _drop(self, event: IncidentChanged, now: float) -> None:
        """It is not told; what was told before is repeated no sooner for it."""
        self.dropped += 1
        if event.change == _CLOSED:
            self._told.pop(event.id, None)
        elif event.id in self._told:
            self._remember(event.id, event, now)

    def _remember(self, id_: str, event: IncidentChanged, now: float) -> None:
        self._told.pop(id_, None)
        if event.change != _CLOSED:
            self._told[id_] = (now, event)
            if len(self._told) > _TOLD_MAX:
                del self._told[next(iter(self._told))]

    def _repeat(self, now: float) -> None:
        for id_, (at, event) in list(self._told.items()):
            if now - at >= self._limits.repeat_s and id_ not in self._waiting:
                self._wait(now, replace(event, change="repeated"), now)

    def _wait(self, not_before: float, event: IncidentChanged, now: float) -> None:
        self._waiting[event.id] = (not_before, event)
        if len(self._waiting) > self._limits.waiting_max:
            _, oldest = self._waiting.pop(next(iter(self._waiting)))
            self._drop(oldest, now)
