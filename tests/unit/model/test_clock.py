"""Rules for the real clocks."""

from __future__ import annotations

import time
from typing import Any

from proxy.model.clock import SystemClock


def test_durations_count_the_time_of_a_suspended_machine() -> None:
    """It is the kernel's clock for that; only a machine that sleeps shows the difference."""
    before = time.clock_gettime(time.CLOCK_BOOTTIME)
    now = SystemClock().now()
    assert before <= now <= time.clock_gettime(time.CLOCK_BOOTTIME)
    bound: Any = SystemClock.now
    assert bound.args == (time.CLOCK_BOOTTIME,)
