"""What operators say about where calls go, as metrics."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from proxy.model.events import OverrideChanged
from proxy.model.standing import Override
from proxy.telemetry.metrics import Labels, family


class OverrideMetrics:
    """Counts changes; `standing` gives what stands, each with its seconds left, when asked."""

    def __init__(self) -> None:
        self._changes: dict[tuple[str, str], int] = {}
        self.standing: Callable[[], Sequence[tuple[Override, float]]] = tuple
        self.kept: Callable[[], bool] | None = None
        """Whether a restart would know what stands."""

    def changed(self, event: OverrideChanged) -> None:
        """Count a change."""
        key = (event.override.kind.value, event.change)
        self._changes[key] = self._changes.get(key, 0) + 1

    def render(self) -> Iterator[str]:
        """Lines of the text form."""
        standing: list[tuple[Labels, float]] = [
            (
                (("route", each.route), ("upstream", each.upstream), ("kind", each.kind.value)),
                left_s,
            )
            for each, left_s in self.standing()
        ]
        yield from family("tidegate_route_override", "gauge",
                          "Seconds for which an operator's word stands on.", standing)  # fmt: skip
        changes: list[tuple[Labels, float]] = [
            ((("kind", kind), ("change", change)), count)
            for (kind, change), count in self._changes.items()
        ]
        yield from family("tidegate_route_override_changes_total", "counter",
                          "Words of operators, by what became of them.", changes)  # fmt: skip
        if self.kept is not None:
            yield from family("tidegate_route_override_kept", "gauge",
                              "Whether a restart would know what stands.",
                              [((), float(self.kept()))])  # fmt: skip
