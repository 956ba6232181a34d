"""Time as something handed in, so that no test sleeps and no clock jump surprises us."""

from __future__ import annotations

import time
from functools import partial
from typing import Protocol


class Clock(Protocol):
    """Two clocks: one for durations, which never jumps, and one for people."""

    def now(self) -> float:
        """Monotonic seconds; only differences mean anything."""

    def wall(self) -> float:
        """Seconds since the Unix epoch; may jump, so never used for a timeout."""


class SystemClock:
    """The real clocks. Bound as attributes: one C call per reading, no Python frame.

    `now` goes on while the machine is suspended, as time.monotonic() does not: whoever
    wakes up must see that the instant is past after which it must not begin to send.
    """

    now = staticmethod(
        partial(time.clock_gettime, getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
    )
    wall = staticmethod(time.time)
