"""Events wait here for a moment, so that no call waits for their listeners.

Counting and formatting in batches also costs less than half of doing it once
per call: the code is still warm from the event before. A batch is bounded, and
a listener that fails loses its event and nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from proxy.model.events import Event

_WAIT_S = 0.02
_EVENTS_MAX = 64
"""An event holds its call with both bodies, so few are kept."""


class EventBuffer:
    """Takes events with `emit` and tells them to `tell` soon after."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        tell: Callable[[Event], None],
        failed: Callable[[], None],
    ) -> None:
        self._loop = loop
        self._tell = tell
        self._failed = failed
        self._events: list[Event] = []

    def emit(self, event: Event) -> None:
        """Take one event; never raises, never waits."""
        events = self._events
        events.append(event)
        if len(events) == 1:
            self._loop.call_later(_WAIT_S, self.flush)
        elif len(events) >= _EVENTS_MAX:
            self.flush()

    def flush(self) -> None:
        """Tell everything now; before a report, and at the end."""
        events, self._events = self._events, []
        for event in events:
            try:
                self._tell(event)
            except Exception:  # noqa: BLE001 - a charge's answer must not be lost with a log line
                self._failed()
