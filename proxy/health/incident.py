"""PURE. One incident as it is known, and as whoever is told of it hears."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.health.slices import NO_IMPACT, Impact, SliceKey, Tally
from proxy.health.verdict import Verdict
from proxy.model.events import IncidentChanged

TIMELINE_MAX = 100
"""An incident that flaps for a week is still one page."""
Bases = dict[SliceKey, Tally]
"""How the slices of an incident stood when it began."""


@dataclass(slots=True)
class Incident:
    """One incident; all instants are wall time except those named `_mono`."""

    id: str
    partners: tuple[str, ...]
    upstreams: tuple[str, ...]
    slices: tuple[str, ...]
    phase: str
    kind: str
    reason: str
    origin: str
    confidence: str
    sentence: str
    evidence: list[str]
    since: float
    opened_at: float
    named_after_s: float
    """From the first bad event to the verdict that opened it."""
    ended_at: float | None = None
    bad: int = 0
    calls: int = 0
    impact: Impact = NO_IMPACT
    moved_to: dict[str, int] = field(default_factory=dict)
    carried: Impact = NO_IMPACT
    """Of before a restart, as `carried_to`."""
    carried_to: dict[str, int] = field(default_factory=dict)
    bases: Bases = field(default_factory=dict)
    timeline: list[tuple[float, str, str]] = field(default_factory=list)
    """(at, what, in words), the first bad call first."""
    part_of: str = ""
    """The incident that it turned out to be a part of."""
    since_mono: float = 0.0
    last_mono: float = 0.0
    verdict: Verdict | None = None

    def note(self, at: float, what: str, words: str) -> None:
        """One more line of the timeline; the first ones are kept, and the newest."""
        self.timeline.append((at, what, words))
        if len(self.timeline) > TIMELINE_MAX:
            del self.timeline[TIMELINE_MAX // 2]

    def told(self, change: str) -> IncidentChanged:
        """It as an event."""
        failed, in_doubt, moved, *_ = self.impact
        return IncidentChanged(
            change, self.id, self.partners, self.upstreams, self.slices, self.phase,
            self.reason, self.origin, self.confidence, self.sentence, self.since,
            self.opened_at, self.ended_at, failed, in_doubt, moved, self.part_of,
        )  # fmt: skip
