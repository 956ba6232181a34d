"""What an upstream's breaker does, as the configuration says it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class BreakerMode(StrEnum):
    """Whether the breaker acts on what it sees."""

    ON = "on"
    SHADOW = "shadow"
    """It reports what it would refuse, and refuses nothing."""
    OFF = "off"


@dataclass(frozen=True, slots=True)
class BreakerLimits:
    """What a user may want otherwise; for each operation of an upstream."""

    mode: BreakerMode = BreakerMode.ON
    unreachable_max: int = 5
    """Connection failures in a row that open."""
    open_share: float = 0.5
    """Opens where clearly at least this share fails."""
    open_s: float = 5.0
    """First open time, doubled at each failed probe."""
    open_max_s: float = 60.0
    slow_max_s: float = 10.0
    """Longer than this is slow, whatever is usual."""


BREAKER = BreakerLimits()
"""Unless the configuration says otherwise."""
