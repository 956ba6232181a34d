"""`proxy.settings.checks_telemetry`: mistakes that no single key can know."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.unit.settings.example import BASE, problems_of


@pytest.mark.parametrize(
    ("said", "place", "remedy"),
    [
        ("endpoint: http://c.example, headers: {X-Key: k}", "telemetry.endpoint", "write https://"),
        ("endpoint: http://127.0.0.1, tls: {}", "telemetry.tls", "https"),
        ("endpoint: http://127.0.0.1/v1, protocol: grpc", "telemetry.endpoint", "after the port"),
        ("endpoint: ftp://c", "telemetry.endpoint", "https://"),
        ("endpoint: http://127.0.0.1, protocol: udp", "telemetry.protocol", "grpc"),
        ("endpoint: http://127.0.0.1, sample_ratio: 2", "telemetry.sample_ratio", "1.0"),
        ("endpoint: http://127.0.0.1, slow: 0s", "telemetry.slow", "1ms"),
        ("endpoint: http://127.0.0.1, waiting_max: 1", "telemetry.waiting_max", "10"),
        ("endpoint: http://127.0.0.1, traces_per_s_max: 0", "telemetry.traces_per_s_max", "1000"),
        ("endpoint: http://127.0.0.1, timeout: 2h", "telemetry.timeout", "1m"),
        ("endpoint: http://127.0.0.1, metrics_interval: 1ms", "telemetry.metrics_interval", "1s"),
        ("traces: true", "telemetry.endpoint", "add endpoint"),
    ],
)
def test_a_mistake_is_told_with_place_and_remedy(
    tmp_path: Path, said: str, place: str, remedy: str
) -> None:
    """One for each, and no other."""
    (problem,) = problems_of(tmp_path, BASE + f"telemetry: {{{said}}}\n")
    assert problem.path == place
    assert remedy in problem.remedy + problem.message


def test_half_a_certificate_is_told(tmp_path: Path) -> None:
    """A chain without its key is of no use."""
    (tmp_path / "c.pem").write_text("x")
    said = "endpoint: https://c.example, tls: {client_certificate_file: c.pem}"
    (problem,) = problems_of(tmp_path, BASE + f"telemetry: {{{said}}}\n")
    assert "client_key_file" in problem.remedy


def test_grpc_without_its_package_is_told_by_the_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not by an exporter that fails while payments run."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    said = "endpoint: http://127.0.0.1:4317, protocol: grpc"
    (problem,) = problems_of(tmp_path, BASE + f"telemetry: {{{said}}}\n")
    assert "tidegate[grpc]" in problem.remedy
