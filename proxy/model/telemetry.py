"""What telemetry is told to do, as plain values: where it goes, what is kept, all its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Collector:
    """Where telemetry goes by OTLP."""

    tls: bool
    host: str
    port: int
    path: str
    """What `/v1/traces` and `/v1/metrics` are put behind; nothing with gRPC."""
    grpc: bool = False
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Credentials among them, so they stay out of every repr."""
    ca_file: str | None = None
    client_certificate_file: str | None = None
    client_key_file: str | None = None
    timeout_s: float = 5.0
    """For one sending, from its connection to the end of the answer."""

    @property
    def authority(self) -> str:
        """Host and port, as they stand in an address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Keeping:
    """Which calls are traced."""

    sample_ratio: float = 0.01
    """Of calls that come without a trace and end well."""
    slow_s: float = 5.0
    traces_per_s_max: float = 100.0
    """Over a second; what comes besides is counted and not traced."""


@dataclass(frozen=True, slots=True)
class Exporting:
    """How telemetry leaves the house."""

    collector: Collector
    keeping: Keeping = Keeping()
    traces: bool = True
    metrics: bool = True
    interval_s: float = 30.0
    """Between two exports of metrics."""
    waiting_max: int = 1000
    """Traces that wait for the collector."""
