"""Checks of upstreams and what proves a standby, as metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from proxy.telemetry.metrics import Labels, family

Rows = Sequence[Mapping[str, Any]]


def check_lines(checks: Rows, warm: Rows) -> Iterator[str]:
    """Lines of the text form, from the report that the admin listener shows as JSON."""
    if not checks:
        return
    counts = [
        ((("upstream", str(row["upstream"])), ("result", str(result))), float(count))
        for row in checks
        for result, count in row["checks"].items()
    ]
    yield from family("tidegate_checks_total", "counter", "Checks by what they came to.", counts)
    yield from family("tidegate_check_failing", "gauge", "Whether checks go on failing.",
                      [(_of(row), float(row["failing"])) for row in checks])  # fmt: skip
    standbys = [row for row in checks if row["standby"]]
    yield from family("tidegate_standby_proven_seconds", "gauge",
                      "Since a standby was proven by a call or a check.",
                      [(_of(row), float(row["proven_s"])) for row in standbys])  # fmt: skip
    yield from family("tidegate_standby_unproven", "gauge",
                      "Whether that is longer than it may be.",
                      [(_of(row), float(row["unproven"])) for row in standbys])  # fmt: skip
    given: list[tuple[Labels, float]] = [
        ((("route", str(row["route"])),), float(row["calls"])) for row in warm
    ]
    yield from family("tidegate_standby_calls_total", "counter",
                      "New calls given to a standby first.", given)  # fmt: skip


def _of(row: Mapping[str, Any]) -> Labels:
    return (("upstream", str(row["upstream"])),)
