"""Which calls are traced: a sample, and each that somebody will ask about.

Looked at for every call, so it begins with what rules out most of them. What is
kept is bounded by a bucket: in an outage every call fails, and a trace costs
some ten times of what its call costs. Calls that were refused before anything
was sent leave half of the bucket to those that may have been executed.
"""

from __future__ import annotations

from proxy.model.events import CallEnded
from proxy.model.outcome import Answered, Execution
from proxy.model.telemetry import Keeping

SAMPLED = frozenset(b"%02x" % flags for flags in range(256) if flags & 1)
_KINDS_SEEN_MAX = 2000
"""Upstreams, operations and statuses are few; a partner that invents statuses is not followed."""


class Keeper:
    """Says of each call that ended why it is traced; `dropped` counts what was one too many."""

    def __init__(self, keeping: Keeping, now: float) -> None:
        self._slow_s = keeping.slow_s
        self._rate = keeping.traces_per_s_max
        self._left = self._rate
        self._filled_at = now
        self._seen: set[tuple[str, str, int]] = set()
        self.degraded: frozenset[str] = frozenset()
        """Upstreams that are not well, by whoever judges them."""
        self.dropped = 0

    def why(self, event: CallEnded) -> str:
        """Why the call is traced; empty where it is not."""
        call, outcome = event.call, event.outcome
        if type(outcome) is not Answered:
            return "in_doubt" if outcome.execution is Execution.UNKNOWN else "failed"
        if outcome.execution is not Execution.DONE:
            return "in_doubt" if outcome.execution is Execution.UNKNOWN else "failed"
        if len(call.attempts) != 1:
            return "repeated" if outcome.replayed else "failed_over"
        if event.ended_at - call.arrived_at >= self._slow_s:
            return "slow"
        route = call.route
        kind = (outcome.upstream, route.operation if route else "", outcome.response.status)
        if kind not in self._seen and len(self._seen) < _KINDS_SEEN_MAX:
            self._seen.add(kind)
            return "first_seen"
        if outcome.upstream in self.degraded:
            return "degraded"
        return "sampled" if call.trace_flags in SAMPLED else ""

    def room(self, now: float, *, sent: bool) -> bool:
        """Whether one more may be kept in this moment."""
        self._left = min(self._rate, self._left + (now - self._filled_at) * self._rate)
        self._filled_at = now
        if self._left < (1.0 if sent else 1.0 + self._rate / 2):
            self.dropped += 1
            return False
        self._left -= 1.0
        return True
