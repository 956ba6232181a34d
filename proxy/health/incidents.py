"""Incident records: opened and closed by themselves, with what a post-mortem needs.

A verdict that stands for two looks in a row opens an incident; one that does not stand for
`close_after_s` closes it, and if it comes back before that it is the same incident. A verdict
that changes (a second partner fails, so it is the network) changes the incident, and its
timeline says so. Two incidents that turn out to have one cause become one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from proxy.health.incident import Bases, Incident
from proxy.health.sentence import evidence_lines, sentence
from proxy.health.slices import Tally
from proxy.health.verdict import Verdict
from proxy.model.clock import Clock
from proxy.model.events import IncidentChanged

LOOKS_MIN = 2
_LATELY_MAX = 64
Measure = Callable[[Verdict, float, Bases], Tally]
"""(verdict, since when, bases) -> what it did to calls, and where they went instead; fills in the
bases of slices that are new.
"""


class Incidents:
    """All that are open, and the ended ones, bounded. `tell` hears of each change."""

    def __init__(
        self,
        clock: Clock,
        tell: Callable[[IncidentChanged], None],
        measure: Measure,
        *,
        close_after_s: float,
        kept_max: int,
    ) -> None:
        self._clock = clock
        self._tell = tell
        self._measure = measure
        self._close_after_s = close_after_s
        self._kept_max = kept_max
        self._waiting: dict[tuple[Any, ...], int] = {}
        self._number = 0
        self._lately: deque[tuple[float, str, tuple[float, str, str]]] = deque(maxlen=_LATELY_MAX)
        """What happened to upstreams, incident or none: a breaker may be faster than a verdict."""
        self.all: dict[str, Incident] = {}
        """By id, the oldest first."""
        self.version = 0
        """Rises with each change that is worth keeping."""

    @property
    def open(self) -> list[Incident]:
        """Those that go on."""
        return [each for each in self.all.values() if each.ended_at is None]

    def look(self, verdicts: Sequence[Verdict]) -> None:
        """The verdicts of this second."""
        waiting: dict[tuple[Any, ...], int] = {}
        for verdict in verdicts:
            matches = self._matches(verdict, verdicts)
            if matches:
                self._go_on(matches[0], verdict)
                for part in matches[1:]:
                    self._close(part, f"turned out to be a part of {matches[0].id}", matches[0].id)
                continue
            key = (verdict.places, verdict.phase, verdict.kind)
            looks = self._waiting.get(key, 0) + 1
            if looks >= LOOKS_MIN:
                self._open(verdict)
            else:
                waiting[key] = looks
        self._waiting = waiting
        for each in self.open:
            if self._clock.now() - each.last_mono > self._close_after_s:
                self._close(each, "recovered")

    def happened(self, upstream: str, what: str, words: str) -> None:
        """Something else that belongs into the timelines of this upstream's incidents."""
        at = self._clock.wall()
        self._lately.append((self._clock.now(), upstream, (at, what, words)))
        for each in self.open:
            if upstream in each.upstreams or not upstream:
                each.note(at, what, words)
                self.version += 1

    def adopt(self, incidents: Iterable[Incident]) -> None:
        """Take in what an earlier run kept. What was open then is judged anew."""
        wall, now = self._clock.wall(), self._clock.now()
        for each in incidents:
            each.last_mono = each.since_mono = now
            each.carried, each.carried_to = each.impact, dict(each.moved_to)
            if each.ended_at is None:
                each.note(wall, "restart", "the sidecar was started again")
            self.all[each.id] = each
        self._number = len(self.all)
        self._bound()

    def _matches(self, verdict: Verdict, verdicts: Sequence[Verdict]) -> list[Incident]:
        """The open incidents that this verdict goes on with, the oldest first."""
        return [each for each in self.open if self._is_of(each, verdict, verdicts)]

    def _is_of(self, each: Incident, verdict: Verdict, verdicts: Sequence[Verdict]) -> bool:
        if not set(each.upstreams) & set(verdict.upstreams):
            return False
        if each.phase == verdict.phase and each.kind == verdict.kind:
            return bool(set(each.slices) & _slices(verdict)) or not any(
                set(each.slices) & _slices(other) for other in verdicts if other is not verdict
            )
        own = [other for other in verdicts if set(each.upstreams) & set(other.upstreams)]
        return not any(other.phase == each.phase and other.kind == each.kind for other in own)

    def _open(self, verdict: Verdict) -> None:
        wall, now = self._clock.wall(), self._clock.now()
        self._number += 1
        day = datetime.fromtimestamp(wall, UTC).strftime("%Y%m%d-%H%M%S")
        each = Incident(
            f"{day}-{self._number}", (), (), (), "", "", "", "", "", "", [],
            since=self._wall_of(verdict.since), opened_at=wall,
            named_after_s=round(now - verdict.since, 3), since_mono=verdict.since,
        )  # fmt: skip
        each.note(each.since, "first_bad", f"first bad event: {verdict.reason}")
        self._take(each, verdict)
        each.timeline += [
            line
            for at, upstream, line in self._lately
            if at >= verdict.since and (upstream in each.upstreams or not upstream)
        ]
        each.timeline.sort(key=lambda line: line[0])
        each.note(wall, "opened", each.sentence)
        self.all[each.id] = each
        self._bound()
        self._said("opened", each)

    def _go_on(self, each: Incident, verdict: Verdict) -> None:
        before = (each.partners, each.phase, each.kind, each.origin, each.slices)
        self._take(each, verdict)
        if before != (each.partners, each.phase, each.kind, each.origin, each.slices):
            each.note(self._clock.wall(), "verdict", each.sentence)
            self._said("changed", each)

    def _take(self, each: Incident, verdict: Verdict) -> None:
        earlier_s = max(0.0, each.since_mono - verdict.since)
        each.since_mono -= earlier_s
        each.since -= earlier_s  # by what has passed: the wall clock may have been set meanwhile
        each.last_mono = self._clock.now()
        each.partners, each.upstreams = verdict.partners, verdict.upstreams
        each.slices = tuple(place.slice for place in verdict.places)
        each.phase, each.kind = verdict.phase, verdict.kind.value
        each.reason, each.origin = verdict.reason, verdict.origin.value
        each.confidence = verdict.confidence.value
        each.bad, each.calls = max(each.bad, verdict.bad), max(each.calls, verdict.calls)
        each.verdict = verdict
        self.measure(each)
        each.sentence = sentence(verdict, self._wall_of)
        each.evidence = evidence_lines(verdict, self._wall_of)

    def measure(self, each: Incident) -> None:
        """What it did to calls so far. It never shrinks: a verdict may come to name less."""
        if each.verdict is None:
            return
        impact, moved_to = self._measure(each.verdict, each.since_mono, each.bases)
        before = (sum(pair) for pair in zip(impact, each.carried, strict=True))
        a, b, c, d, e, f = (max(pair) for pair in zip(before, each.impact, strict=True))
        each.impact = (a, b, c, d, e, f)
        for upstream, count in moved_to.items():
            if upstream not in each.moved_to:
                each.note(self._clock.wall(), "moved", f"calls go to {upstream} instead")
            total = each.carried_to.get(upstream, 0) + count
            each.moved_to[upstream] = max(total, each.moved_to.get(upstream, 0))

    def _close(self, each: Incident, words: str, part_of: str = "") -> None:
        wall = self._clock.wall()
        self.measure(each)
        each.ended_at, each.part_of, each.verdict = wall, part_of, None
        each.note(wall, "closed", words)
        self._said("closed", each)

    def _said(self, change: str, each: Incident) -> None:
        self.version += 1
        self._tell(each.told(change))

    def _bound(self) -> None:
        ended = [each.id for each in self.all.values() if each.ended_at is not None]
        for gone in ended[: max(0, len(self.all) - self._kept_max)]:
            del self.all[gone]

    def _wall_of(self, instant: float) -> float:
        return self._clock.wall() - (self._clock.now() - instant)


def _slices(verdict: Verdict) -> set[str]:
    return {place.slice for place in verdict.places}
