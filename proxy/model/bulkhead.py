"""Who goes first, how many at once, and what is worth a moment only."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from proxy.model.message import Response


class Priority(IntEnum):
    """What is refused last has the highest number."""

    BEST_EFFORT = 0
    BACK_OFFICE = 1
    AUTHENTICATION = 2
    PAYMENT = 3

    @property
    def word(self) -> str:
        """As the configuration, metrics and reports spell it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True)
class BulkheadLimits:
    """How many attempts may be at work in one compartment, and how many calls may wait."""

    at_work_max: int = 100
    waiting_max: int = 100
    adaptive: bool = False
    """Fewer than `at_work_max` while the partner says, or shows, that it has too much."""


LIMITS = BulkheadLimits()
"""Unless the configuration says otherwise."""


@dataclass(frozen=True, slots=True)
class BestEffort:
    """A route that nobody should wait for, with the reply that stands in for the partner's."""

    reply: Response
    wait: bool
    """False: the reply is given at once, and the call is made behind it."""
    at_work_max: int
