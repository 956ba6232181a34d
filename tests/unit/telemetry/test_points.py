"""`proxy.telemetry.points`: conventional names, one point for each series, in small pieces."""

from __future__ import annotations

from typing import Any

from opentelemetry.sdk.metrics.export import HistogramDataPoint, Metric
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from proxy.model.events import AttemptEnded
from proxy.model.outcome import Outcome
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.points import CALL_DURATION, REQUEST_DURATION, Points, Snapshot
from tests.unit.telemetry.traced import DOUBT, done, ended

POINTS = Points(
    Resource({}), InstrumentationScope("tidegate", "1"), {"a": ("a.example", 443, "https")}
)


def _metrics(metrics: Metrics) -> list[Metric]:
    snapshot = Snapshot(1, 2, *metrics.counted(), list(metrics.rest()))
    return [
        metric
        for piece in POINTS.of(snapshot)
        for resource in piece.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
    ]


def _counted(*outcomes: Outcome) -> Metrics:
    metrics = Metrics()
    for outcome in outcomes:
        event = ended(outcome)
        metrics.call(event)
        metrics.attempt(AttemptEnded(event.call, event.call.attempts[0]))
    return metrics


def _points(metrics: Metrics, name: str) -> list[HistogramDataPoint]:
    found: list[Any] = []
    for metric in _metrics(metrics):
        if metric.name == name:
            assert metric.unit == "s"
            found += metric.data.data_points
    return found


def test_attempts_are_requests_of_a_client() -> None:
    """With what the conventions ask for, and what tells one slice from another."""
    (point,) = _points(_counted(done(402), done(402)), REQUEST_DURATION)
    said = dict(point.attributes or {})
    assert (said["http.request.method"], said["server.address"]) == ("POST", "a.example")
    assert (said["server.port"], said["url.scheme"]) == (443, "https")
    assert (said["http.response.status_code"], said["error.type"]) == (402, "402")
    assert (point.count, point.start_time_unix_nano, point.time_unix_nano) == (2, 1, 2)
    assert list(point.explicit_bounds)[-1] == 90.0


def test_a_failure_has_our_word_for_it() -> None:
    """And its phase; there is no status."""
    (point,) = _points(_counted(DOUBT), REQUEST_DURATION)
    said = dict(point.attributes or {})
    assert (said["error.type"], said["tidegate.phase"]) == ("timeout", "first_byte")
    assert "http.response.status_code" not in said


def test_calls_are_counted_apart() -> None:
    """Failover would hide a failing partner behind them."""
    (point,) = _points(_counted(done()), CALL_DURATION)
    assert dict(point.attributes or {})["tidegate.route"] == "charges"


def test_an_export_comes_in_small_pieces() -> None:
    """Encoding one of them is over before a call would notice."""
    metrics = _counted(*(done(status) for status in range(200, 212)))
    sizes = [len(m.data.data_points) for m in _metrics(metrics) if m.name == REQUEST_DURATION]
    assert sizes == [5, 5, 2]


def test_later_calls_change_nothing_of_what_was_taken() -> None:
    """The thread reads while the calls go on."""
    metrics = _counted(done())
    calls, attempts = metrics.counted()
    metrics.call(ended(done()))
    assert [sum(each.counts) for each in (*calls.values(), *attempts.values())] == [1, 1]
