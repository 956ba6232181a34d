"""How many calls of one kind have no end yet; what a journal tells metrics and findings."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Unsettled:
    """Calls of one state, upstream and operation; `partner` and `upstream` are empty before the
    first sending.
    """

    state: str
    partner: str
    upstream: str
    operation: str
    number: int
    oldest_at: float
    """When the first of them was sent (claimed, where nothing was): seconds since 1970."""
    old: int
    """How many of them were sent before the instant that was asked for."""
