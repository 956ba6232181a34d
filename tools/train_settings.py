"""The sidecar's settings in a training, and the partners that they name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PARTNERS = {
    "processor-a": "processor", "processor-b": "processor", "acquirer-a": "acquirer",
    "threeds-a": "threeds", "threeds-b": "threeds",
}  # fmt: skip
"""Each upstream, and the kind of partner that it is."""


def settings(folder: Path, ports: Mapping[str, int]) -> dict[str, Any]:
    """The sidecar's file as a document, with what most keep at its default; JSON is YAML."""
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0"},
        "admin": {"address": "127.0.0.1:0"},
        "journal": {"path": str(folder / "journal.db")},
        "partners": {
            "processor": {"profile": "sandbox-processor", **_upstreams("processor", ports)},
            "acquirer": {
                "profile": "sandbox-acquirer",
                "credentials": {},
                **_upstreams("acquirer", ports),
            },
            "threeds": _upstreams("threeds", ports),
        },
        "routes": [
            _route("processor", "authorize", "POST"),
            _route("processor", "inquire", "GET"),
            _route("acquirer", "authorize", "POST"),
            _route("threeds", "authenticate", "POST"),
        ],
    }


def _names(partner: str) -> list[str]:
    return [name for name, kind in PARTNERS.items() if kind == partner]


def _upstreams(partner: str, ports: Mapping[str, int]) -> dict[str, Any]:
    """Half a second until a breaker's probe, so that the training sees it close again; and no
    timeout that a busy machine could meet.
    """
    phases = dict.fromkeys(("connect", "send", "first_byte", "body"), "15s")
    own = {"breaker": {"open": "500ms"}, "timeouts": phases}
    return {
        "upstreams": {
            name: {"url": f"http://127.0.0.1:{ports[name]}", **own} for name in _names(partner)
        }
    }


def _route(partner: str, operation: str, method: str) -> dict[str, Any]:
    return {
        "name": f"{partner}-{operation}",
        "match": {"path": f"/{partner}/", "methods": [method]},
        "strip_prefix": True,
        "operation": operation,
        "candidates": _names(partner),
        "deadline": "20s",
    }
