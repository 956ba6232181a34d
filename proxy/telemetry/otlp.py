"""Traces and metrics on their way out: taken at each event, made in turns, sent by a thread.

Imported after the payment port is open, and only where a collector is
configured: OpenTelemetry takes 7 MiB. Nothing here waits, and nothing that a
collector does comes back further than to a counter.
"""

from __future__ import annotations

import importlib
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.common.metrics_encoder import encode_metrics
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from proxy.model.clock import Clock
from proxy.model.events import (
    AttemptEnded,
    BreakerChanged,
    CallEnded,
    CollectorChanged,
    Emit,
    LateEnding,
)
from proxy.model.telemetry import Collector, Exporting
from proxy.telemetry.encoding import Later, Turns
from proxy.telemetry.exporter import Exporter
from proxy.telemetry.keep import Keeper
from proxy.telemetry.metrics import Labels, family
from proxy.telemetry.origins import Origins
from proxy.telemetry.otlp_http import HttpSender
from proxy.telemetry.points import Place, Points, Snapshot
from proxy.telemetry.record import LateRecord, Record, ending, taken
from proxy.telemetry.senders import Sender
from proxy.telemetry.spans import Spans

_OWN = "("
"""Names of routes that nobody configured begin so: questions of our own to partners."""
_CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class About:
    """Who exports: what every trace and metric carries."""

    version: str
    config_hash: str
    instance: str


class Otlp:
    """Hears of every call, attempt and late ending; `tick` is called every second."""

    def __init__(
        self,
        exporting: Exporting,
        about: About,
        clock: Clock,
        span_id: Callable[[], bytes],
        places: Mapping[str, Place],
        snapshot: Callable[[int, int], Snapshot],
        emit: Emit,
        later: Later,
    ) -> None:
        self._exporting = exporting
        self._clock = clock
        self._span_id = span_id
        self._snapshot = snapshot
        self._emit = emit
        self._told = ""
        self._not_closed: set[tuple[str, str, str]] = set()
        self.keeper = Keeper(exporting.keeping, clock.now())
        self._origins = Origins()
        self._began_ns = int(clock.wall() * 1e9)
        self._metrics_at = clock.now() + exporting.interval_s
        resource, scope = _resource(about), InstrumentationScope("tidegate", about.version)
        self._spans = Spans(resource, scope)
        self._points = Points(resource, scope, places)
        self._turns = Turns(later, exporting.keeping.traces_per_s_max)
        self._exporter = Exporter(lambda: _sender(exporting.collector), exporting.waiting_max)

    @property
    def trouble(self) -> str:
        """Why the collector does not get what it should; empty while it does."""
        return self._exporter.trouble

    def call(self, event: CallEnded) -> None:
        """Keep the call's trace, if there is a reason to and room."""
        kept = self.keeper.why(event) if self._exporting.traces else ""
        if (
            kept
            and self.keeper.room(event.ended_at, sent=bool(event.call.attempts))
            and self._exporter.room(len(self._turns))
        ):
            self._keep(event, kept)

    def attempt(self, event: AttemptEnded) -> None:
        """Keep a question of our own: its attempt is all of it."""
        call, outcome = event.call, event.attempt.outcome
        if call.route is None or call.route.name[0] != _OWN or outcome is None:
            return
        self.call(CallEnded(call, outcome, event.attempt.ended_at))

    def late(self, event: LateEnding) -> None:
        """Keep what came after the caller had been answered in doubt."""
        call, attempt, now = event.call, event.attempt, self._clock.now()
        if not self._exporting.traces or attempt.late_outcome is None:
            return
        if self.keeper.room(now, sent=True) and self._exporter.room(len(self._turns)):
            record = LateRecord(
                call.trace_id, call.trace_flags, attempt.span_id, self._span_id(),
                attempt.ended_at or attempt.begun_at, now, attempt.candidate.upstream,
                ending(attempt.late_outcome),
            )  # fmt: skip
            self._encode_soon(record)

    def breaker(self, event: BreakerChanged) -> None:
        """Keep all calls of an upstream, the good ones too, while one of its breakers is not
        closed.
        """
        key = (event.upstream, event.compartment, event.part)
        if event.state == _CLOSED:
            self._not_closed.discard(key)
        else:
            self._not_closed.add(key)
        self.keeper.degraded = frozenset(upstream for upstream, *_ in self._not_closed)

    def tick(self) -> None:
        """Bound what is being sent, and export metrics when their time has come."""
        self._exporter.watch()
        if self.trouble != self._told:
            self._told = self.trouble
            self._emit(CollectorChanged(self._told))
        now = self._clock.now()
        if self._exporting.metrics and now >= self._metrics_at:
            self._metrics_at = now + self._exporting.interval_s
            self._export_metrics()

    def close(self) -> None:
        """Export what there is, within a bounded time."""
        if self._exporting.metrics:
            self._export_metrics()
        self._turns.finish()
        self._exporter.close()

    def render(self) -> Iterator[str]:
        """Lines of the Prometheus text form: what was sent, and what was lost and why."""
        tallies = self._exporter.tallies
        sent: list[tuple[Labels, float]] = [
            ((("signal", signal),), each.sent) for signal, each in tallies.items()
        ]
        yield from family("tidegate_telemetry_sent_total", "counter",
                          "Traces, and exports of metrics, that were taken.", sent)  # fmt: skip
        lost: list[tuple[Labels, float]] = [
            ((("signal", signal), ("reason", reason)), count)
            for signal, each in tallies.items()
            for reason, count in (
                ("waiting_max", each.overflowed), ("collector", each.failed), ("bug", each.broken)
            )
        ]  # fmt: skip
        lost.append(((("signal", "traces"), ("reason", "traces_per_s_max")), self.keeper.dropped))
        yield from family("tidegate_telemetry_dropped_total", "counter",
                          "Telemetry that was lost, by why.", lost)  # fmt: skip
        waiting = self._exporter.waiting() + len(self._turns)
        yield from family("tidegate_telemetry_waiting", "gauge", "Traces that wait.",
                          [((), waiting)])  # fmt: skip
        yield from family("tidegate_telemetry_collector_ok", "gauge",
                          "Whether the collector took what it was sent last.",
                          [((), float(not self.trouble))])  # fmt: skip

    def _keep(self, event: CallEnded, kept: str) -> None:
        call, span_id = event.call, self._span_id()
        link = self._origins.link(call)
        record = taken(call, event.outcome, event.ended_at, kept, span_id, link)
        self._encode_soon(record)
        self._origins.remember(call, span_id)

    def _encode_soon(self, record: Record) -> None:
        wall_s = self._clock.wall() - self._clock.now()
        self._turns.add(lambda: self._encode(record, wall_s))

    def _encode(self, record: Record, wall_s: float) -> None:
        try:
            body = encode_spans(self._spans.of(record, wall_s)).SerializeToString()
        except Exception:  # noqa: BLE001 - one that we cannot encode must not keep the others
            self._exporter.tallies["traces"].broken += 1
        else:
            self._exporter.offer(body)

    def _export_metrics(self) -> None:
        at_ns = int(self._clock.wall() * 1e9)
        self._turns.begin(self._encode_metrics(self._snapshot(self._began_ns, at_ns)))

    def _encode_metrics(self, snapshot: Snapshot) -> Iterator[None]:
        """One piece for each step; all of them leave together, or none."""
        pieces = []
        try:
            for data in self._points.of(snapshot):
                pieces.append(encode_metrics(data).SerializeToString())
                yield
        except Exception:  # noqa: BLE001 - the next export may be one that we can encode
            self._exporter.tallies["metrics"].broken += 1
        else:
            self._exporter.offer_metrics(b"".join(pieces))


def _sender(collector: Collector) -> Sender:
    """Made in the exporter's thread, where the import of gRPC keeps nobody waiting."""
    if not collector.grpc:
        return HttpSender(collector)
    made: Sender = importlib.import_module("proxy.telemetry.otlp_grpc").GrpcSender(collector)
    return made


def _resource(about: About) -> Resource:
    return Resource(
        {
            "service.name": "tidegate",
            "service.version": about.version,
            "service.instance.id": about.instance,
            "host.name": platform.node(),
            "tidegate.config.hash": about.config_hash,
            "telemetry.sdk.language": "python",
            "telemetry.sdk.name": "opentelemetry",
        }
    )
