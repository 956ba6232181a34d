"""PURE. From our own Prometheus text to OTLP metrics, so that each metric is written once.

Names lose what the text form has in them and OTLP beside them: `_total` of a
counter, `_seconds` and `_bytes` as units. A collector that writes Prometheus
puts them back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData

_SAMPLE = re.compile(r"([a-z_:]+)(?:\{(.*)\})? (\S+)")
_LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
_ESCAPED = re.compile(r"\\(.)")
_UNITS = {"seconds": "s", "bytes": "By"}
_NAMES = {
    "process_resident_memory_bytes": ("process.memory.usage", "By"),
    "process_cpu_seconds_total": ("process.cpu.time", "s"),
}
POINTS_MAX = 20
"""Of one metric: some hundred microseconds of encoding."""
Labels = tuple[tuple[str, str], ...]
CUMULATIVE = AggregationTemporality.CUMULATIVE


@dataclass(slots=True)
class _Family:
    name: str
    kind: str
    text: str
    samples: list[tuple[str, Labels, float]] = field(default_factory=list)


def metrics_of(lines: Iterable[str], began_ns: int, at_ns: int) -> Iterator[Metric]:
    """A metric for each family that has samples, or several with a few of its points each."""
    for each in _families(lines):
        if not each.samples:
            continue
        name, unit = _named(each)
        if each.kind == "histogram":
            points = _histograms(each, began_ns, at_ns)
            yield Metric(name, each.text, unit, HistogramData(points, CUMULATIVE))
            continue
        numbers = [
            NumberDataPoint(dict(labels), began_ns, at_ns, value)
            for _, labels, value in each.samples
        ]
        for at in range(0, len(numbers), POINTS_MAX):
            few = numbers[at : at + POINTS_MAX]
            counts = each.kind == "counter"
            data = Sum(few, CUMULATIVE, is_monotonic=True) if counts else Gauge(few)
            yield Metric(name, each.text, unit, data)


def _families(lines: Iterable[str]) -> Iterator[_Family]:
    text, current = "", None
    for line in lines:
        if line.startswith("# HELP "):
            text = line.split(" ", 3)[3]
        elif line.startswith("# TYPE "):
            if current is not None:
                yield current
            _, _, name, kind = line.split(" ")
            current = _Family(name, kind, text)
        elif current is not None and (found := _SAMPLE.fullmatch(line)):
            current.samples.append((found[1], _labels(found[2]), float(found[3])))
    if current is not None:
        yield current


def _labels(text: str | None) -> Labels:
    found = _LABEL.findall(text or "")
    return tuple((name, _ESCAPED.sub(_unescaped, value)) for name, value in found)


def _unescaped(found: re.Match[str]) -> str:
    return "\n" if found[1] == "n" else found[1]


def _named(each: _Family) -> tuple[str, str]:
    """The name with points and the unit; a count's unit is 1."""
    if each.name in _NAMES:
        return _NAMES[each.name]
    stem = each.name.removesuffix("_total").replace("tidegate_", "tidegate.", 1)
    head, _, last = stem.rpartition("_")
    return (head, _UNITS[last]) if last in _UNITS else (stem, "1")


def _histograms(each: _Family, began_ns: int, at_ns: int) -> list[HistogramDataPoint]:
    series: dict[Labels, list[tuple[str, Labels, float]]] = {}
    for sample in each.samples:
        series.setdefault(tuple(pair for pair in sample[1] if pair[0] != "le"), []).append(sample)
    unset = cast(float, None)  # the text form has neither the least nor the greatest
    return [
        HistogramDataPoint(
            dict(labels), began_ns, at_ns, sum(counts), total, counts, bounds, unset, unset
        )
        for labels, samples in series.items()
        for bounds, counts, total in [_read(samples)]
    ]


def _read(samples: Sequence[tuple[str, Labels, float]]) -> tuple[list[float], list[int], float]:
    """Bounds without the last, counts that are not cumulated, and the sum."""
    bounds, counts, total, before = [], [], 0.0, 0.0
    for name, labels, value in samples:
        if name.endswith("_bucket"):
            bounds.append(float(dict(labels)["le"]))
            counts.append(int(value - before))
            before = value
        elif name.endswith("_sum"):
            total = value
    return bounds[:-1], counts, total
