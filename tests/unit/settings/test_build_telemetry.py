"""`proxy.settings.build_telemetry`: what the exporter is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.model.telemetry import Collector, Exporting, Keeping
from proxy.settings.build_telemetry import exporting, sample_ratio
from tests.unit.settings.example import BASE, load_text


def _with(folder: Path, text: str) -> Exporting | None:
    return exporting(load_text(folder, BASE + text).settings)


def test_without_a_collector_nothing_leaves(tmp_path: Path) -> None:
    """And no trace is marked as sampled, since none is recorded."""
    assert _with(tmp_path, "") is None
    assert sample_ratio(load_text(tmp_path, BASE).settings) == 0.0


def test_an_endpoint_is_enough(tmp_path: Path) -> None:
    """Defaults of the file are those of the model."""
    made = _with(tmp_path, "telemetry: {endpoint: http://127.0.0.1:4318/otlp}\n")
    collector = Collector(tls=False, host="127.0.0.1", port=4318, path="/otlp")
    assert made == Exporting(collector, Keeping())


def test_everything_can_be_said(tmp_path: Path) -> None:
    """Each key arrives where it belongs."""
    text = (
        "telemetry: {endpoint: https://c.example, protocol: grpc, headers: {X-Key: k}, "
        "timeout: 1s, traces: true, metrics: false, metrics_interval: 2s, sample_ratio: 0.5, "
        "slow: 3s, traces_per_s_max: 7, waiting_max: 20}\n"
    )
    made = _with(tmp_path, text)
    collector = Collector(True, "c.example", 443, "", True, (("X-Key", "k"),), timeout_s=1.0)
    assert made == Exporting(collector, Keeping(0.5, 3.0, 7.0), True, False, 2.0, 20)
    assert sample_ratio(load_text(tmp_path, BASE + text).settings) == 0.5


@pytest.mark.parametrize("off", ["traces: false, metrics: false"])
def test_with_both_off_nothing_is_started(tmp_path: Path, off: str) -> None:
    """No thread, no import."""
    text = f"telemetry: {{endpoint: http://127.0.0.1:1, {off}}}\n"
    assert _with(tmp_path, text) is None
    assert sample_ratio(load_text(tmp_path, BASE + text).settings) == 0.0
