"""Gauges: what is so at the moment of the scrape."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping

from proxy.built import form
from proxy.telemetry.metrics import family

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


def state_lines(
    pools: Mapping[str, Mapping[str, int]],
    gauges: Mapping[str, float],
    version: str,
    config_hash: str,
) -> Iterator[str]:
    """Lines of the text form: connections by state, plain gauges, build, memory, CPU."""
    samples = [
        ((("upstream", upstream), ("state", state)), count)
        for upstream, counts in pools.items()
        for state, count in counts.items()
    ]
    yield from family(
        "tidegate_pool_connections",
        "gauge",
        "Connections, and calls waiting.",
        samples,
    )
    for name, value in gauges.items():
        yield from family(name, "gauge", "Now.", [((), value)])
    build = (("version", version), ("form", form()), ("config_hash", config_hash))
    yield from family("tidegate_build_info", "gauge", "What is running.", [(build, 1)])
    yield from family(
        "process_resident_memory_bytes", "gauge", "Resident memory.", [((), resident_bytes())]
    )
    yield from family(
        "process_cpu_seconds_total", "counter", "Of all threads.", [((), time.process_time())]
    )


def resident_bytes() -> int:
    """Resident memory of this process, from the kernel."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * _PAGE_BYTES
