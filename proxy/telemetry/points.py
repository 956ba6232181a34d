"""PURE. Ready OTLP data points from what our own accumulators hold.

An instrument of OpenTelemetry costs 9 µs for each record, so none stands on the
path of calls: the accumulators are copied at each interval and become points
here, a few at a time. Calls and attempts have names and units of their
own; all that the Prometheus text has besides comes from its lines
(`text_metrics.py`), so that neither side has what the other lacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    HistogramDataPoint,
    Metric,
    MetricsData,
    ResourceMetrics,
    ScopeMetrics,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from proxy.telemetry.keys import AttemptKey, CallKey
from proxy.telemetry.metrics import Histogram
from proxy.telemetry.text_metrics import metrics_of

REQUEST_DURATION = "http.client.request.duration"
CALL_DURATION = "tidegate.call.duration"
_POINTS_MAX = 5
"""Of one piece: about a third of a millisecond, after which the calls have their turn."""
_ERROR_STATUS = 400
Place = tuple[str, int, str]
"""Address, port and scheme."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What was counted at one instant; times are nanoseconds of the wall's clock."""

    began_ns: int
    at_ns: int
    calls: Mapping[CallKey, Histogram]
    attempts: Mapping[AttemptKey, Histogram]
    lines: Sequence[str]
    """The Prometheus text of everything else."""


class Points:
    """Makes the pieces of an export; `places` says where each upstream is."""

    def __init__(
        self, resource: Resource, scope: InstrumentationScope, places: Mapping[str, Place]
    ) -> None:
        self._resource = resource
        self._scope = scope
        self._places = places

    def of(self, snapshot: Snapshot) -> Iterator[MetricsData]:
        """The export in pieces, each of which is one by itself."""
        calls = [_point(_of_call(key), each, snapshot) for key, each in snapshot.calls.items()]
        attempts = [
            _point(self._of_attempt(key), each, snapshot) for key, each in snapshot.attempts.items()
        ]
        for name, text, points in (
            (CALL_DURATION, "Calls of the application, arrival to answer.", calls),
            (REQUEST_DURATION, "Attempts at partners, begin to end.", attempts),
        ):
            for at in range(0, len(points), _POINTS_MAX):
                data = HistogramData(
                    points[at : at + _POINTS_MAX], AggregationTemporality.CUMULATIVE
                )
                yield self._data([Metric(name, text, "s", data)])
        for metric in metrics_of(snapshot.lines, snapshot.began_ns, snapshot.at_ns):
            yield self._data([metric])

    def _of_attempt(self, key: AttemptKey) -> dict[str, Any]:
        host, port, scheme = self._places.get(key.upstream, ("", 0, ""))
        made: dict[str, Any] = {
            "http.request.method": key.method,
            "server.address": host,
            "server.port": port,
            "url.scheme": scheme,
            "network.protocol.version": "1.1",
            "tidegate.partner": key.partner,
            "tidegate.upstream": key.upstream,
            "tidegate.operation": key.operation,
            "tidegate.outcome": str(key.outcome),
            "tidegate.execution": str(key.execution),
            "tidegate.reason": key.reason,
        }
        if key.status:
            made["http.response.status_code"] = key.status
        if key.phase:
            made["tidegate.phase"] = str(key.phase)
        if key.slice:
            made["tidegate.slice"] = key.slice
        if key.outcome != "answered":
            made["error.type"] = key.reason
        elif key.status >= _ERROR_STATUS:
            made["error.type"] = str(key.status)
        return made

    def _data(self, metrics: list[Metric]) -> MetricsData:
        scoped = ScopeMetrics(self._scope, metrics, "")
        return MetricsData([ResourceMetrics(self._resource, [scoped], "")])


def _of_call(key: CallKey) -> dict[str, Any]:
    return {f"tidegate.{name}": str(value) for name, value in key._asdict().items() if value}


def _point(attributes: dict[str, Any], of: Histogram, snapshot: Snapshot) -> HistogramDataPoint:
    unset = cast(float, None)  # least and greatest since the start say nothing about now
    return HistogramDataPoint(
        attributes, snapshot.began_ns, snapshot.at_ns, sum(of.counts), of.total, of.counts,
        of.bounds, unset, unset,
    )  # fmt: skip
