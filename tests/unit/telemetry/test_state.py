"""`proxy.telemetry.state`: what is so at the moment of the scrape."""

from __future__ import annotations

import re
import time
from pathlib import Path

from proxy.telemetry.state import resident_bytes, state_lines
from tests.support.prometheus import Family, parse

POOLS = {"a": {"idle": 2, "busy": 1}, "b": {"idle": 0, "busy": 0}}


def _rendered() -> dict[str, Family]:
    lines = state_lines(POOLS, {"tidegate_in_flight": 3}, "0.1.0", "ab" * 32)
    return parse("\n".join(lines) + "\n")


def test_connections_stand_by_upstream_and_state() -> None:
    """Zero is said, so that a gauge that falls is seen to fall."""
    pools = _rendered()["tidegate_pool_connections"]
    name = "tidegate_pool_connections"
    assert pools.kind == "gauge"
    assert pools.value(name, upstream="a", state="idle") == 2
    assert pools.value(name, upstream="b", state="busy") == 0
    assert len(pools.samples) == 4


def test_gauges_and_the_build_are_told() -> None:
    """Two sidecars with different configurations differ in `config_hash`."""
    families = _rendered()
    assert families["tidegate_in_flight"].value("tidegate_in_flight") == 3
    build = families["tidegate_build_info"]
    assert (
        build.value(
            "tidegate_build_info", version="0.1.0", form="interpreted", config_hash="ab" * 32
        )
        == 1
    )


def test_memory_is_the_kernels_figure() -> None:
    """Within a megabyte of the other place where the kernel tells it."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    assert abs(resident_bytes() - int(found[1]) * 1024) < 4 * 1024 * 1024
    memory = _rendered()["process_resident_memory_bytes"]
    assert memory.value("process_resident_memory_bytes") > 1024 * 1024


def test_cpu_time_only_grows() -> None:
    """Of all threads of the process, in seconds."""
    name = "process_cpu_seconds_total"
    before = _rendered()[name].value(name)
    spent = time.process_time()
    while time.process_time() < spent + 0.02:
        pass
    assert before < _rendered()[name].value(name) <= time.process_time() + 0.01
