"""What has degraded, and which incidents are open, as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from proxy.model.events import IncidentChanged
from proxy.telemetry.metrics import Labels, family


class HealthMetrics:
    """Counts incidents; `degraded` gives the labels of what is degraded when asked."""

    def __init__(self) -> None:
        self._opened: dict[str, int] = {}
        self.open: Callable[[], int] = int
        """How many incidents go on; set by the composition root, as `degraded` is."""
        self.degraded: Callable[[], Sequence[Mapping[str, str]]] = tuple

        self.receivers: Callable[[], Sequence[Mapping[str, Any]]] = tuple
        """Of alerts, with their counts."""

    def changed(self, event: IncidentChanged) -> None:
        """Count a change."""
        if event.change == "opened":
            self._opened[event.origin] = self._opened.get(event.origin, 0) + 1

    def render(self) -> Iterator[str]:
        """Lines of the text form."""
        rows: list[tuple[Labels, float]] = [
            (tuple(labels.items()), 1.0) for labels in self.degraded()
        ]
        yield from family("tidegate_degraded", "gauge", "1 for each slice under a verdict.", rows)
        yield from family("tidegate_incidents_open", "gauge", "Incidents that go on.",
                          [((), float(self.open()))])  # fmt: skip
        opened: list[tuple[Labels, float]] = [
            ((("origin", origin),), count) for origin, count in self._opened.items()
        ]
        yield from family("tidegate_incidents_total", "counter", "Incidents, by the origin that"
                          " they were opened with.", opened)  # fmt: skip
        alerts: list[tuple[Labels, float]] = [
            ((("receiver", row["receiver"]), ("result", result)), row[result])
            for row in self.receivers()
            for result in ("delivered", "failed", "dropped")
        ]
        yield from family("tidegate_alerts_total", "counter", "Alerts by what became of them.",
                          alerts)  # fmt: skip
