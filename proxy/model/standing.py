"""What an operator has said about a route or an upstream, in place of the file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What is said."""

    FORCE = "force"
    """New calls of a route go to this upstream and nowhere else."""
    DRAIN = "drain"
    """New payments go to this upstream no more."""
    ISOLATE = "isolate"
    """Nothing at all goes to this upstream: its breakers are held open."""


@dataclass(frozen=True, slots=True)
class Why:
    """Who says something, why, and for how many seconds; checked by whoever took it in."""

    reason: str
    by: str
    lasts_s: float


@dataclass(frozen=True, slots=True)
class Override:
    """One standing order; `since` is wall time, `ends_at` monotonic."""

    kind: Kind
    route: str
    """The route that is forced; empty for a drain or an isolation."""
    upstream: str
    reason: str
    by: str
    since: float
    lasts_s: float
    """As it was asked for."""
    ends_at: float

    @property
    def name(self) -> str:
        """What it is released by: a route or an upstream."""
        return self.route or self.upstream
