"""One change of one incident, for tests of who is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from proxy.model.events import IncidentChanged

_OPENED = IncidentChanged(
    change="opened", id="20261121-031207-1", partners=("acme",), upstreams=("acme-eu",),
    slices=("acme-eu",), phase="connect", reason="refused", origin="partner", confidence="high",
    sentence="acme (acme-eu): connections are refused.", since=1.0, opened_at=2.0, ended_at=None,
    calls_failed=4, calls_in_doubt=5, calls_moved=6,
)  # fmt: skip


def incident(change: str = "opened", **over: Any) -> IncidentChanged:
    """It, with what a test wants otherwise."""
    return replace(_OPENED, change=change, **over)
