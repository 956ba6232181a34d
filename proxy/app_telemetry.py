"""Puts the exporter together, after the payment port is open: its imports take time."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from proxy import __version__
from proxy.app_parts import Around
from proxy.model.telemetry import Exporting
from proxy.telemetry.sink import Sink

if TYPE_CHECKING:
    from proxy.telemetry.otlp import Otlp
    from proxy.telemetry.points import Snapshot


async def start_export(
    around: Around,
    sink: Sink,
    span_id: Callable[[], bytes],
    rest: Callable[[], Iterator[str]],
) -> None:
    """Export what `sink` hears from here on, where the settings say so; `rest` gives the lines of
    `/metrics` that are not about calls and attempts.
    """
    chosen = around.setup.exporting
    if chosen is not None:
        import_module = importlib.import_module
        await around.loop.run_in_executor(None, import_module, "proxy.telemetry.otlp")
        sink.otlp = _otlp(chosen, around, sink, span_id, rest)


def _otlp(
    chosen: Exporting,
    around: Around,
    sink: Sink,
    span_id: Callable[[], bytes],
    rest: Callable[[], Iterator[str]],
) -> Otlp:
    from proxy.telemetry.otlp import About, Otlp
    from proxy.telemetry.points import Snapshot

    def snapshot(began_ns: int, at_ns: int) -> Snapshot:
        sink.flush()
        return Snapshot(began_ns, at_ns, *sink.metrics.counted(), list(rest()))

    places = {
        name: (each.host.strip("[]"), each.port, "https" if each.tls else "http")
        for name, each in around.setup.built.upstreams.items()
    }
    about = About(__version__, around.setup.hash, span_id().decode())
    return Otlp(
        chosen, about, around.clock, span_id, places, snapshot, around.emit, around.loop.call_later
    )
