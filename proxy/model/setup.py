"""Everything that a sidecar is told by its configuration, as plain values.

They can be sent from one process to another (`proxy/settings/apart.py`), and whoever has
them needs neither the file nor the libraries that read it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from proxy.model.health import AlertLimits, HealthLimits
from proxy.model.route import Credentials, Route, Upstream
from proxy.model.settling import SettleRule
from proxy.model.telemetry import Exporting


@dataclass(frozen=True, slots=True)
class Built:
    """All upstreams by name, and all routes in the order of the file."""

    upstreams: dict[str, Upstream]
    routes: tuple[Route, ...]
    settle: dict[tuple[str, str], SettleRule]
    """What is done about a call in doubt, by upstream and operation."""
    credentials: dict[str, Credentials]
    """What questions of our own carry, by upstream."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a listener binds: `host` (an IP, without brackets) and `port`, or `unix_path`."""

    host: str
    port: int
    unix_path: str | None
    unix_mode: int


@dataclass(frozen=True, slots=True)
class Listen:
    """The payment port: who may call, and how much of everything."""

    place: Place
    token: bytes | None = field(repr=False)
    hosts: tuple[str, ...]
    connections_max: int
    in_flight_max: int
    request_line_bytes_max: int
    header_bytes_max: int
    header_count_max: int
    body_bytes_max: int
    methods: tuple[str, ...]
    timeout_header_s: float
    timeout_body_s: float
    timeout_idle_s: float
    timeout_write_s: float
    timeout_drain_s: float


@dataclass(frozen=True, slots=True)
class Admin:
    """The operators' port."""

    place: Place
    token: bytes | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Shared:
    """The database of a journal that many sidecars have."""

    url: str = field(repr=False)
    secret: bytes = field(repr=False)
    lease_s: float
    connections_max: int


@dataclass(frozen=True, slots=True)
class Journal:
    """Where it lies, `path` or `shared`, how long it remembers and how long it is waited for."""

    path: Path | None
    shared: Shared | None
    sealing_keys: Mapping[str, bytes] = field(repr=False)
    """By id; the first seals."""
    retention_s: float
    timeout_commit_s: float
    settle_attempts_max: int
    in_doubt_alarm_s: float
    never_store: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Dns:
    """Name servers, and bounds of what is known of a name."""

    nameservers: tuple[str, ...]
    timeout_query_s: float
    ttl_min_s: float
    ttl_max_s: float
    stale_max_s: float
    negative_max_s: float
    snapshot: str | None


@dataclass(frozen=True, slots=True)
class RetryBudget:
    """How many of all attempts may be retries."""

    ratio: float
    window_s: float
    retries_min: int


@dataclass(frozen=True, slots=True)
class Setup:
    """A configuration that has been found good; `hash` tells it from others."""

    built: Built
    listen: Listen
    admin: Admin
    journal: Journal | None
    dns: Dns
    retry_budget: RetryBudget
    health: HealthLimits
    alerts: AlertLimits
    exporting: Exporting | None
    sample_ratio: float
    log_calls: bool
    overrides_file: Path | None
    hash: str
    shown: bytes
    """What the dashboard shows of it, credentials masked: rows, as JSON, since few look."""
