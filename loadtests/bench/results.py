"""What the bench writes down: one `Visit` per subject and round. PURE."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median


@dataclass(frozen=True, slots=True)
class Closed:
    """Closed loop: each connection sends the next call when the last one is answered."""

    connections: int
    calls: int
    calls_per_s: float
    p50_us: float
    p99_us: float


@dataclass(frozen=True, slots=True)
class Opened:
    """Open loop: calls begin on a schedule; latency counts from the scheduled instant.

    `lag_p99_us` is how late the generator itself was: its share of the latencies.
    """

    calls: int
    p50_us: float
    p99_us: float
    lag_p99_us: float


@dataclass(frozen=True, slots=True)
class Exported:
    """What a subject's telemetry came to in one visit; `trace_share` is of all its calls."""

    traces: int
    trace_share: float
    spans: int
    trace_exports: int
    metric_exports: int
    scrapes: int
    page_bytes: int
    """Size of the last scrape."""
    counted: int
    """Calls, by its metrics."""


@dataclass(slots=True)
class Visit:
    """One subject in one round. Direct has no memory figures. A problem makes the run invalid.

    `foreign_share` is the share of time (0 to 1) that other programs had one of our cores.
    """

    subject: str
    round: int
    closed: dict[int, Closed] = field(default_factory=dict)
    opened: Opened | None = None
    foreign_share: float = 0.0
    rss_idle_mb: float | None = None
    rss_loaded_mb: float | None = None
    exported: Exported | None = None
    """Of subjects with telemetry."""
    problems: list[str] = field(default_factory=list)

    def calls(self) -> int:
        """All calls counted as answered."""
        opened = self.opened.calls if self.opened else 0
        return sum(level.calls for level in self.closed.values()) + opened


@dataclass(slots=True)
class KeyedVisit:
    """One journal's store, or direct, in one round of keyed calls."""

    store: str
    round: int
    closed: dict[int, Closed] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """Everything measured in one run; `absent` says why a wanted subject did not take part."""

    visits: list[Visit] = field(default_factory=list)
    ready_s: dict[str, list[float]] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    keyed: list[KeyedVisit] = field(default_factory=list)
    syncs_us: dict[int, float] = field(default_factory=dict)
    """By round: the median fdatasync of the disk that the journals are on, the mean of right before
    and right after the calls at one connection. A disk's own speed changes by half in a minute."""

    rested_syncs_us: dict[int, float] = field(default_factory=dict)
    """The same after a rest of a millisecond, as it is between a call's two syncs."""

    @property
    def rested_fdatasync_us(self) -> float | None:
        """The median of the rounds; None where no store was measured."""
        return median(self.rested_syncs_us.values()) if self.rested_syncs_us else None

    @property
    def fdatasync_us(self) -> float | None:
        """The median of the rounds; None where no store was measured."""
        return median(self.syncs_us.values()) if self.syncs_us else None

    def subjects(self) -> list[str]:
        """Names of the subjects that were measured, in the order of the first round."""
        return list(dict.fromkeys(visit.subject for visit in self.visits))

    def of(self, subject: str) -> list[Visit]:
        """The visits of one subject, in order of the rounds."""
        visits = [visit for visit in self.visits if visit.subject == subject]
        return sorted(visits, key=lambda visit: visit.round)
