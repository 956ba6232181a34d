"""In which order a route's candidates are tried."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class OrderMode(StrEnum):
    """What decides."""

    LISTED = "listed"
    """The file."""
    WEIGHTED = "weighted"
    """The call's key, in proportion to weights: the same key goes the same way."""
    HEALTHIEST = "healthiest"
    """What the breakers know of the last minute: who answers, and how fast."""


@dataclass(frozen=True, slots=True)
class Ordering:
    """A route's choice; weights are by upstream."""

    mode: OrderMode = OrderMode.LISTED
    weights: Mapping[str, int] = field(default_factory=dict)


LISTED = Ordering()


@dataclass(frozen=True, slots=True)
class Condition:
    """What is known of a route's calls at an upstream in the last minute."""

    calls: int
    failing_low: float
    """The share that fails at least, at 95 %."""
    p50_s: float | None


Conditions = Callable[[str, str], Condition | None]
"""Of an upstream and compartment; None where nobody watches."""
