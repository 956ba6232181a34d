"""PURE. How long each phase of an upstream's attempts took, of the last minute.

At most ten attempts a second of an upstream are noted, as bare instants: that costs
a call next to nothing, and figures are made when somebody looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Any

from proxy.model.call import Attempt

SPAN_S = 60.0
_APART_S = 0.1
_KEPT_MAX = 600
"""Ten a second for a minute."""
PHASES = ("queue", "resolve", "connect", "tls", "send", "first_byte", "body")
Instants = tuple[float, float, float, float, float, float, float, float]
"""Begin; then when each phase but the last ended, 0.0 for one that was not met; then the end."""


class Phases:
    """Of all upstreams; their number is the configuration's."""

    def __init__(self) -> None:
        self._of: dict[str, deque[Instants]] = {}

    def note(self, attempt: Attempt) -> None:
        """An attempt ended."""
        name, ended_at = attempt.candidate.upstream.name, attempt.ended_at
        kept = self._of.get(name)
        if kept is None:
            kept = self._of[name] = deque(maxlen=_KEPT_MAX)
        elif kept and ended_at - kept[-1][7] < _APART_S:
            return
        kept.append(
            (attempt.begun_at, attempt.queued_at, attempt.resolved_at, attempt.connected_at,
             attempt.secured_at, attempt.sent_at, attempt.first_byte_at, ended_at)
        )  # fmt: skip

    def report(self, upstream: str, now: float) -> list[dict[str, Any]]:
        """A row for each phase that was met, in their order; milliseconds."""
        took: dict[str, list[float]] = {phase: [] for phase in PHASES}
        for instants in self._of.get(upstream, ()):
            if now - instants[7] <= SPAN_S:
                for phase, seconds in durations(instants):
                    took[phase].append(seconds)
        return [_row(phase, sorted(found)) for phase, found in took.items() if found]


def durations(instants: Instants) -> Iterator[tuple[str, float]]:
    """Each phase that was met, the one in which it was cut among them."""
    begun_at, *ends, ended_at = instants
    at, last = begun_at, 0
    for number, end in enumerate(ends):
        if end:
            yield PHASES[number], max(0.0, end - at)
            at, last = end, number + 1
    yield PHASES[last], max(0.0, ended_at - at)


def _row(phase: str, found: Sequence[float]) -> dict[str, Any]:
    return {
        "phase": phase,
        "attempts": len(found),
        "p50_ms": _ms(found[len(found) // 2]),
        "p95_ms": _ms(found[min(len(found) - 1, len(found) * 95 // 100)]),
        "max_ms": _ms(found[-1]),
    }


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 3)
