"""Where all events go: counted, written as lines, and told to one more listener.

Everything here runs in batches, off the path of calls, and may lose telemetry;
it can lose nothing else.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from proxy.model.clock import Clock
from proxy.model.events import (
    AttemptEnded,
    BadRequest,
    BreakerChanged,
    Bug,
    CallEnded,
    CheckChanged,
    CollectorChanged,
    Event,
    IncidentChanged,
    LateEnding,
    NameAsked,
    OverrideChanged,
    SettleGaveUp,
)
from proxy.telemetry.buffer import EventBuffer
from proxy.telemetry.dns import DnsMetrics
from proxy.telemetry.health import HealthMetrics
from proxy.telemetry.journal import JournalMetrics
from proxy.telemetry.lines import LineWriter
from proxy.telemetry.load import load_lines
from proxy.telemetry.log import CallLog
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.overrides import OverrideMetrics
from proxy.telemetry.state import state_lines

if TYPE_CHECKING:
    from proxy.telemetry.otlp import Otlp

_STDOUT = 1
_CHANGES = (BreakerChanged, CheckChanged)
"""What is a line and nothing else; a tuple made once."""


class Sink:
    """Takes events with `emit`; `attempts` is told of each attempt that ended."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        attempts: Callable[[AttemptEnded], None],
        *,
        log_calls: bool,
    ) -> None:
        self._attempts = attempts
        self._log_calls = log_calls
        self._log = CallLog(clock)
        self.metrics = Metrics()
        self.dns = DnsMetrics()
        self.overrides = OverrideMetrics()
        self.health = HealthMetrics()
        self.journal: JournalMetrics | None = None
        """Set where there is a journal."""
        self.load: Callable[[], dict[str, Any]] = dict
        """What is at work, waits and was refused; set by the composition root."""
        self.proofs: Callable[[AttemptEnded], None] = lambda _: None
        """Told of each attempt as well; set by the composition root."""
        self.also: Callable[[Event], None] = _nobody
        """Is told of each event as well; set by the composition root."""
        self.otlp: Otlp | None = None
        """Set where telemetry is exported, as soon as that is imported."""
        self.lines = LineWriter(loop, _STDOUT)
        self._events = EventBuffer(loop, self._tell, self._lost)
        self.emit = self._events.emit
        self.flush = self._events.flush

    def report(
        self,
        pools: Mapping[str, Mapping[str, int]],
        gauges: Mapping[str, float],
        version: str,
        config_hash: str,
    ) -> Iterator[str]:
        """Lines of the Prometheus text form, with everything up to now counted."""
        self.flush()
        yield from self.metrics.durations()
        yield from self.rest(pools, gauges, version, config_hash)

    def rest(
        self,
        pools: Mapping[str, Mapping[str, int]],
        gauges: Mapping[str, float],
        version: str,
        config_hash: str,
    ) -> Iterator[str]:
        """The same without calls and attempts."""
        yield from self.metrics.rest()
        if self.otlp is not None:
            yield from self.otlp.render()
        yield from self.dns.render()
        yield from self.overrides.render()
        yield from self.health.render()
        if self.journal is not None:
            yield from self.journal.render()
        yield from load_lines(self.load())
        dropped = {"tidegate_log_lines_dropped": self.lines.dropped}
        yield from state_lines(pools, {**gauges, **dropped}, version, config_hash)

    def tick(self) -> None:
        """To be called every second."""
        if self.otlp is not None:
            self.otlp.tick()

    def close(self) -> None:
        """Count, export and write what is left."""
        self.flush()
        if self.otlp is not None:
            self.otlp.close()
        self.lines.close()

    def _tell(self, event: Event) -> None:
        if isinstance(event, CallEnded):
            self.metrics.call(event)
            if self.journal is not None:
                self.journal.call(event)
            if self.otlp is not None:
                self.otlp.call(event)
            if self._log_calls:
                self.lines.write(self._log.call(event))
        elif isinstance(event, AttemptEnded):
            self.metrics.attempt(event)
            self._attempts(event)
            self.proofs(event)
            if self.otlp is not None:
                self.otlp.attempt(event)
        elif isinstance(event, LateEnding):
            self.metrics.late += 1
            if self.otlp is not None:
                self.otlp.late(event)
            self.lines.write(self._log.late(event))
        else:
            self._tell_rare(event)
        self.also(event)

    def _tell_rare(self, event: Event) -> None:
        if isinstance(event, BadRequest):
            self.metrics.reject(event.reason)
        elif isinstance(event, NameAsked):
            self.dns.asked(event)
        elif isinstance(event, OverrideChanged):
            self.overrides.changed(event)
            self.lines.write(self._log.override(event))
        elif isinstance(event, _CHANGES):
            self.lines.write(self._log.changed(event))
            if self.otlp is not None and isinstance(event, BreakerChanged):
                self.otlp.breaker(event)
        elif isinstance(event, Bug):
            self.metrics.bugs += 1
            self.lines.write(self._log.bug(event))
        elif isinstance(event, SettleGaveUp):
            self.metrics.gave_up += 1
            self.lines.write(self._log.gave_up(event))
        elif isinstance(event, IncidentChanged):
            self.health.changed(event)
            self.lines.write(self._log.incident(event))
            if self.otlp is not None:
                self.otlp.incident(event)
        elif isinstance(event, CollectorChanged):
            self.lines.write(self._log.collector(event))

    def _lost(self) -> None:
        self.metrics.bugs += 1


def _nobody(event: Event) -> None:
    """Nobody else listens."""
