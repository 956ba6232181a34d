"""Bounds of the inbound edge."""

from __future__ import annotations

from dataclasses import dataclass

CHUNK_OVERHEAD_BYTES_MAX = 64 * 1024
"""Framing bytes a chunked body may spend beyond its content: endless chunk
extensions and one-byte chunks cost us time, never the sender."""


@dataclass(frozen=True, slots=True)
class EdgeLimits:
    """What the inbound edge accepts; defaults and reasons are in docs/configuration.md."""

    methods: frozenset[bytes]
    connections_max: int
    request_line_bytes_max: int
    header_bytes_max: int
    header_count_max: int
    body_bytes_max: int
    timeout_header_s: float
    timeout_body_s: float
    timeout_idle_s: float
    timeout_write_s: float
