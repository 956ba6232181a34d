"""Counters and histograms, and their Prometheus text form (version 0.0.4).

Attempts and calls are counted apart, or failover would hide a failing partner
behind calls that succeeded. All labels come from the configuration or from
fixed vocabularies, so their number is bounded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from typing import TypeVar

from proxy.model.events import AttemptEnded, CallEnded
from proxy.model.outcome import Answered, InDoubt, Refused, Unsent

BUCKETS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0,
)  # fmt: skip
"""The semantic conventions' buckets end at 10 s; authorisations take up to 80 s."""

K = TypeVar("K", bound=tuple[str, ...])
Labels = tuple[tuple[str, str], ...]
_KINDS = {Answered: "answered", Refused: "refused", Unsent: "unsent", InDoubt: "in_doubt"}
_FAILED = (Unsent, InDoubt)
"""A tuple made once: a union would be made anew for each attempt."""


class Histogram:
    """Counts by bucket, with sum; one more bucket than bounds, the last is +Inf."""

    __slots__ = ("bounds", "counts", "total")

    def __init__(self, bounds: tuple[float, ...] = BUCKETS_S) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """Count one duration."""
        self.counts[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds


class Metrics:
    """What was counted since the start."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, str, str, str, str], int] = {}
        self._attempts: dict[tuple[str, str, str, str, str, str, str], int] = {}
        self._call_seconds: dict[str, Histogram] = {}
        self._attempt_seconds: dict[str, Histogram] = {}
        self.rejected: dict[str, int] = {}
        self.late = 0
        self.bugs = 0
        self.gave_up = 0
        """Calls in doubt that the settler does not ask about any more."""

    def call(self, event: CallEnded) -> None:
        """Count a call that ended."""
        route, outcome = event.call.route, event.outcome
        name, operation = (route.name, route.operation) if route else ("", "")
        key = (name, operation, _KINDS[type(outcome)], outcome.execution, outcome.reason)
        self._calls[key] = self._calls.get(key, 0) + 1
        _histogram(self._call_seconds, name).add(event.ended_at - event.call.arrived_at)

    def attempt(self, event: AttemptEnded) -> None:
        """Count an attempt that ended."""
        attempt, route = event.attempt, event.call.route
        outcome = attempt.outcome
        if outcome is None or route is None:
            return
        upstream = attempt.candidate.upstream
        phase = outcome.phase if isinstance(outcome, _FAILED) else ""
        key = (
            upstream.partner,
            upstream.name,
            route.operation,
            _KINDS[type(outcome)],
            outcome.execution,
            phase,
            outcome.reason,
        )
        self._attempts[key] = self._attempts.get(key, 0) + 1
        _histogram(self._attempt_seconds, upstream.name).add(attempt.ended_at - attempt.begun_at)

    def reject(self, reason: str) -> None:
        """Count bytes that were no acceptable request."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def render(self) -> Iterable[str]:
        """Lines of the text form."""
        call_names = ("route", "operation", "outcome", "execution", "reason")
        yield from family("tidegate_calls_total", "counter", "Calls by how they ended.",
                          _labelled(self._calls, call_names))  # fmt: skip
        attempt_names = (
            "partner",
            "upstream",
            "operation",
            "outcome",
            "execution",
            "phase",
            "reason",
        )
        yield from family("tidegate_attempts_total", "counter", "Attempts by how they ended.",
                          _labelled(self._attempts, attempt_names))  # fmt: skip
        rejected = {(reason,): count for reason, count in self.rejected.items()}
        yield from family("tidegate_inbound_rejected_total", "counter",
                          "Inbound bytes refused before they were a call.",
                          _labelled(rejected, ("reason",)))  # fmt: skip
        yield from family("tidegate_late_endings_total", "counter",
                          "Attempts that ended after their caller was answered.",
                          [((), self.late)])  # fmt: skip
        yield from family("tidegate_bugs_total", "counter", "Failures of our own code.",
                          [((), self.bugs)])  # fmt: skip
        yield from family("tidegate_settle_gave_up_total", "counter",
                          "Calls in doubt that partners are not asked about any more.",
                          [((), self.gave_up)])  # fmt: skip
        yield from _histograms("tidegate_call_duration_seconds", "Calls, arrival to answer.",
                               "route", self._call_seconds)  # fmt: skip
        yield from _histograms("tidegate_attempt_duration_seconds", "Attempts, begin to end.",
                               "upstream", self._attempt_seconds)  # fmt: skip


def _histogram(histograms: dict[str, Histogram], name: str) -> Histogram:
    histogram = histograms.get(name)
    if histogram is None:
        histogram = histograms[name] = Histogram()
    return histogram


def _labelled(counts: Mapping[K, int], names: tuple[str, ...]) -> list[tuple[Labels, float]]:
    return [(tuple(zip(names, key, strict=True)), count) for key, count in counts.items()]


def family(
    name: str, kind: str, text: str, samples: Iterable[tuple[Labels, float]]
) -> Iterable[str]:
    """One metric family."""
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield (
            f"{name}{_braces(labels)} {value:g}"
            if value < 1e6
            else f"{name}{_braces(labels)} {value:.0f}"
        )


def _histograms(
    name: str, text: str, label: str, histograms: dict[str, Histogram]
) -> Iterable[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} histogram"
    for value, histogram in histograms.items():
        yield from buckets(name, ((label, value),), histogram)


def buckets(name: str, labels: Labels, histogram: Histogram) -> Iterable[str]:
    """The samples of one histogram."""
    cumulated = 0
    for bound, count in zip((*histogram.bounds, float("inf")), histogram.counts, strict=True):
        cumulated += count
        le = "+Inf" if bound == float("inf") else f"{bound:g}"
        yield f"{name}_bucket{_braces((*labels, ('le', le)))} {cumulated}"
    yield f"{name}_sum{_braces(labels)} {histogram.total:.6f}"
    yield f"{name}_count{_braces(labels)} {cumulated}"


def _braces(labels: Labels) -> str:
    if not labels:
        return ""
    inner = ",".join(f'{name}="{_escape(value)}"' for name, value in labels)
    return "{" + inner + "}"


def _escape(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
