"""Counters and histograms, and their Prometheus text form (version 0.0.4).

Attempts and calls are counted apart, or failover would hide a failing partner
behind calls that succeeded. All labels come from the configuration or from
fixed vocabularies, so their number is bounded.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from proxy.model.events import AttemptEnded, CallEnded
from proxy.model.outcome import Answered, InDoubt, Refused, Unsent
from proxy.telemetry.keys import AttemptKey, CallKey

BUCKETS_S = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75,
    1.0, 2.5, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 90.0,
)  # fmt: skip
"""The semantic conventions' buckets end at 10 s; authorisations take up to 80 s."""

SERIES_MAX = 5000
"""Of attempts, about 2 MiB; a configuration has hundreds, and a partner may invent statuses."""

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

    def copy(self) -> Histogram:
        """What it counts up to now."""
        made = Histogram(self.bounds)
        made.counts, made.total = self.counts.copy(), self.total
        return made

    def merge(self, other: Histogram) -> None:
        """Count what another with the same bounds has counted."""
        self.counts = [mine + more for mine, more in zip(self.counts, other.counts, strict=True)]
        self.total += other.total


class Metrics:
    """What was counted since the start."""

    def __init__(self) -> None:
        self._calls: dict[CallKey, Histogram] = {}
        self._attempts: dict[AttemptKey, Histogram] = {}
        self._slices: dict[tuple[tuple[str, ...], tuple[str, ...]], str] = {((), ()): ""}
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
        histogram = self._calls.get(key)  # type: ignore[call-overload] # equal to a CallKey
        if histogram is None:
            histogram = self._calls[CallKey(*key)] = Histogram()
        histogram.add(event.ended_at - event.call.arrived_at)

    def attempt(self, event: AttemptEnded) -> None:
        """Count an attempt that ended."""
        attempt, call = event.attempt, event.call
        outcome, route = attempt.outcome, call.route
        if outcome is None or route is None:
            return
        upstream = attempt.candidate.upstream
        key = (
            upstream.partner,
            upstream.name,
            route.operation,
            self._slice(route.dimensions, call.dimensions) if call.dimensions else "",
            _KINDS[type(outcome)],
            outcome.execution,
            outcome.phase if isinstance(outcome, _FAILED) else "",
            outcome.reason,
            call.request.method.decode(),
            outcome.response.status if type(outcome) is Answered else 0,
        )
        histogram = self._attempts.get(key)  # type: ignore[call-overload] # equal to an AttemptKey
        if histogram is None:
            histogram = self._new(AttemptKey(*key))
        histogram.add(attempt.ended_at - attempt.begun_at)

    def _new(self, key: AttemptKey) -> Histogram:
        """A series more; where there are too many, what was sent and how it ended is enough."""
        if len(self._attempts) >= SERIES_MAX:
            key = key._replace(slice="", reason="overflow", method="_OTHER", status=0)
        return self._attempts.setdefault(key, Histogram())

    def _slice(self, names: tuple[str, ...], values: tuple[str, ...]) -> str:
        words = self._slices.get((names, values))
        if words is None:
            words = ",".join(f"{n}={v}" for n, v in zip(names, values, strict=False))
            if len(self._slices) < SERIES_MAX:
                self._slices[names, values] = words
        return words

    def counted(self) -> tuple[dict[CallKey, Histogram], dict[AttemptKey, Histogram]]:
        """Copies of everything counted about calls and attempts."""
        return (
            {key: each.copy() for key, each in self._calls.items()},
            {key: each.copy() for key, each in self._attempts.items()},
        )

    def reject(self, reason: str) -> None:
        """Count bytes that were no acceptable request."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def render(self) -> Iterator[str]:
        """Lines of the text form."""
        yield from self.durations()
        yield from self.rest()

    def durations(self) -> Iterator[str]:
        """What is counted of calls and attempts."""
        yield from _durations("tidegate_call", "Calls", self._calls, CallKey._fields, ("route",))
        yield from _durations("tidegate_attempt", "Attempts", self._attempts,
                              AttemptKey._fields[:8], AttemptKey._fields[:4])  # fmt: skip

    def rest(self) -> Iterator[str]:
        """What is counted besides calls and attempts."""
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


def _durations(
    name: str,
    what: str,
    series: Mapping[Any, Histogram],
    counted: tuple[str, ...],
    timed: tuple[str, ...],
) -> Iterator[str]:
    """Counters by the fields `counted` of the keys, and durations by their first few fields."""
    counts: dict[tuple[str, ...], int] = {}
    seconds: dict[tuple[str, ...], Histogram] = {}
    for key, histogram in series.items():
        kind, few = key[: len(counted)], key[: len(timed)]
        counts[kind] = counts.get(kind, 0) + sum(histogram.counts)
        seconds.setdefault(few, Histogram()).merge(histogram)
    yield from family(f"{name}s_total", "counter", f"{what} by how they ended.",
                      _labelled(counts, counted))  # fmt: skip
    name = f"{name}_duration_seconds"
    yield f"# HELP {name} {what}, begin to end."
    yield f"# TYPE {name} histogram"
    for few, histogram in seconds.items():
        yield from buckets(name, tuple(zip(timed, few, strict=True)), histogram)


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
