"""What one arm of INC-03 went through, and the figures taken from it. PURE.

An arm is the sidecar or a peer. All go through the same phases, so whatever is
asked of one can be asked of the others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from loadtests.incidents.checker import Execution
from loadtests.incidents.dns_zone import FAULTS, TTL_S, host
from loadtests.incidents.figures import driver_lag_ms, latency_ms
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.result import Figure
from loadtests.incidents.stats import median, percentile
from tests.support.dns_answers import Query

PARTS = 3
"""A latency is the median of so many parts of its phase: a stall of the machine is in one."""

Succeeded = Callable[[CallRecord], bool]


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of the timeline; `faults` maps a name's first label to the fault that it meets."""

    name: str
    began_at: float
    ended_at: float
    faults: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Story:
    """One arm; instants are monotonic."""

    warming: History
    """Before anything is measured; its calls stand in the ledgers too."""
    history: History
    """Of the healthy phase, the faults and the recovery."""
    phases: list[Phase]
    """The healthy one first, then those with faults."""
    queries: list[Query]
    healed_at: float
    moving: History
    """The calls around the partner's move."""
    moved_at: float
    fresh_after_s: float = math.nan
    """From the healing until every name was fresh; only the sidecar says so."""

    @property
    def healthy(self) -> Phase:
        """Before anything broke."""
        return self.phases[0]

    @property
    def broken(self) -> list[Phase]:
        """The phases with faults."""
        return self.phases[1:]

    def calls(self, phase: Phase) -> History:
        """The calls that were due in a phase."""
        return self.history.begun(phase.began_at, phase.ended_at)


def answered(record: CallRecord) -> bool:
    """A partner's success, for arms that label nothing."""
    return 200 <= record.status < 300


def per_ttl(queries: Iterable[Query], start: float, end: float) -> float:
    """How often a question came per time to live, between its first and its last time in
    [start, end]: so no edge is counted. Fewer than three say it by the whole interval.
    """
    instants = sorted(query.at for query in queries if start <= query.at <= end)
    if len(instants) < 3:
        return len(instants) * TTL_S / (end - start)
    return (len(instants) - 1) * TTL_S / (instants[-1] - instants[0])


def rate_of(
    queries: Collection[Query], kind: str, start: float, end: float, labels: Iterable[str] = FAULTS
) -> float:
    """The most frequently asked name's questions of a type, per time to live.

    NaN for addresses (A) that nobody ever asked for: then nothing was refreshed at all.
    """
    rates = [
        per_ttl([q for q in queries if (q.name, q.kind) == (host(label), kind)], start, end)
        for label in labels
    ]
    if kind == "A" and not all(rates):
        return math.nan
    return max(rates, default=math.nan)


def met(story: Story) -> tuple[int, int]:
    """How many faults were met by a question while they lasted, and how many there were."""
    asked = 0
    wanted = 0
    for phase in story.broken:
        for fault in sorted(set(phase.faults.values())):
            names = {host(label) for label, its in phase.faults.items() if its == fault}
            wanted += 1
            asked += any(
                query.name in names and phase.began_at <= query.at < phase.ended_at
                for query in story.queries
            )
    return asked, wanted


def own_p99_ms(story: Story, phase: Phase) -> list[float]:
    """The p99 of our own share in each part of a phase."""
    length_s = (phase.ended_at - phase.began_at) / PARTS
    edges = [phase.began_at + number * length_s for number in range(PARTS + 1)]
    return [
        1000 * percentile((r.own_share_s for r in part.records if answered(r)), 0.99)
        for part in (story.history.begun(start, end) for start, end in pairwise(edges))
    ]


def growth_ms(story: Story, phase: Phase) -> float:
    """By how much the p99 of our own share grew in a phase, against the healthy one."""
    faulty, healthy = own_p99_ms(story, phase), own_p99_ms(story, story.healthy)
    if any(map(math.isnan, [*faulty, *healthy])):
        return math.nan
    return median(faulty) - median(healthy)


def seen_after_s(story: Story, executions: Sequence[Execution], new: str) -> float:
    """How long after the move a call still went to the old place; NaN if none came to the new."""
    by_partner = {row.nonce: row.partner for row in executions}
    after = [r for r in story.moving.records if r.scheduled_at >= story.moved_at]
    if not any(by_partner.get(r.nonce) == new for r in after):
        return math.nan
    stayed = [r for r in after if by_partner.get(r.nonce, new) != new]
    return max((r.scheduled_at - story.moved_at for r in stayed), default=0.0)


def last_failure_s(story: Story, good: Succeeded) -> float:
    """The last call that did not succeed after the healing, in seconds after it; 0 if none."""
    after = story.history.begun(story.healed_at).where(lambda r: not good(r))
    return max((r.scheduled_at - story.healed_at for r in after.records), default=0.0)


def failures(history: History, good: Succeeded) -> str:
    """Failed calls by the fault of their name, the most frequent first; `-` if there are none."""
    counted = {
        label: history.count(lambda r, label=label: r.scheme == label and not good(r))  # type: ignore[misc]
        for label in FAULTS
    }
    told = sorted(((count, label) for label, count in counted.items() if count), reverse=True)
    return ", ".join(f"{label} {count}" for count, label in told) or "-"


def figures(
    story: Story, executions: Sequence[Execution], new: str, good: Succeeded
) -> dict[str, Figure]:
    """What the table says of an arm, the same for all."""
    healthy = story.healthy
    bad = story.history.count(lambda r: not good(r))
    told: dict[str, Figure] = {
        "calls": len(story.history) + len(story.moving),
        "failed calls": bad + story.moving.count(lambda r: not good(r)),
        "failed before any fault": story.calls(healthy).count(lambda r: not good(r)),
    }
    for phase in story.broken:
        told[f"failed, {phase.name}"] = failures(story.calls(phase), good)
    told["failed calls until, s after the healing"] = last_failure_s(story, good)
    told["call p99 healthy, ms"] = latency_ms(story.calls(healthy), 0.99)
    for phase in story.broken:
        told[f"call p99 {phase.name}, ms"] = latency_ms(story.calls(phase), 0.99)
    told["move followed after, s"] = seen_after_s(story, executions, new)
    for kind in ("A", "AAAA"):
        rate = rate_of(story.queries, kind, healthy.began_at, healthy.ended_at)
        told[f"{kind} questions per TTL, healthy"] = rate
    for phase in story.broken:
        asked = sum(phase.began_at <= query.at < phase.ended_at for query in story.queries)
        told[f"questions/s, {phase.name}"] = asked / (phase.ended_at - phase.began_at)
    told["driver's own lag p99, ms"] = driver_lag_ms(story.history)
    return told
