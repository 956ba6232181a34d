"""`proxy.telemetry.text_metrics`: what stands in the Prometheus text, as OTLP metrics."""

from __future__ import annotations

from opentelemetry.sdk.metrics.export import Gauge, Histogram, Metric, Sum

from proxy.telemetry import metrics as ours
from proxy.telemetry.metrics import buckets, family
from proxy.telemetry.text_metrics import metrics_of


def _read(*lines: str) -> Metric:
    (metric,) = metrics_of(lines, 1, 2)
    return metric


def test_a_counter_is_a_sum_since_the_start() -> None:
    """Its name loses `_total`, which a collector puts back."""
    metric = _read(*family("tidegate_bugs_total", "counter", "Failures.", [((), 3)]))
    assert (metric.name, metric.unit, metric.description) == ("tidegate.bugs", "1", "Failures.")
    assert isinstance(metric.data, Sum)
    assert metric.data.is_monotonic
    (point,) = metric.data.data_points
    assert (point.value, point.start_time_unix_nano, point.time_unix_nano) == (3, 1, 2)


def test_a_gauge_has_its_labels_and_its_unit() -> None:
    """Whatever stands in a label comes back as it was."""
    name = 'a "b", \\c'
    lines = family("tidegate_age_seconds", "gauge", "Age.", [((("name", name), ("x", "y")), 1.5)])
    metric = _read(*lines)
    assert (metric.name, metric.unit) == ("tidegate.age", "s")
    assert isinstance(metric.data, Gauge)
    (point,) = metric.data.data_points
    assert (dict(point.attributes or {}), point.value) == ({"name": name, "x": "y"}, 1.5)


def test_memory_has_its_conventional_name() -> None:
    """Both sides have one for it."""
    metric = _read(*family("process_resident_memory_bytes", "gauge", "Memory.", [((), 1)]))
    assert (metric.name, metric.unit) == ("process.memory.usage", "By")


def test_a_histogram_is_not_cumulated_any_more() -> None:
    """Counts of each bucket, and the sum; series stay apart."""
    histogram = ours.Histogram((0.1, 1.0))
    for seconds in (0.05, 0.5, 0.6, 5.0):
        histogram.add(seconds)
    name = "tidegate_wait_seconds"
    lines = [f"# HELP {name} Waits.", f"# TYPE {name} histogram"]
    lines += [*buckets(name, (("u", "a"),), histogram), *buckets(name, (("u", "b"),), histogram)]
    metric = _read(*lines)
    assert isinstance(metric.data, Histogram)
    first, second = metric.data.data_points
    assert (dict(first.attributes or {}), dict(second.attributes or {})) == ({"u": "a"}, {"u": "b"})
    assert list(first.bucket_counts) == [1, 2, 1]
    assert (list(first.explicit_bounds), first.count, first.sum) == ([0.1, 1.0], 4, 6.15)


def test_a_family_without_samples_is_left_out() -> None:
    """It says nothing."""
    assert list(metrics_of(family("tidegate_x", "gauge", "X.", []), 1, 2)) == []
