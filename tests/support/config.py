"""Writes configuration files for tests: small helpers that return the documented YAML shape.

JSON is YAML, so a file is written with `json`; nothing here knows what the
sidecar makes of it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Document = dict[str, Any]


def upstream(port: int, *, scheme: str = "http", path: str = "", **over: Any) -> Document:
    """An upstream on 127.0.0.1; `over` adds or replaces keys (`pool`, `timeouts`, `tls` ...)."""
    return {"url": f"{scheme}://127.0.0.1:{port}{path}", **over}


def route(path: str, candidates: Sequence[str], **over: Any) -> Document:
    """A route by path prefix, named after it; operation `authorize` unless told otherwise."""
    name = over.pop("name", path.strip("/").replace("/", "-") or "root")
    match = {"path": path, **over.pop("match", {})}
    return {
        "name": name,
        "match": match,
        "operation": "authorize",
        "candidates": list(candidates),
        "deadline": "10s",
        **over,
    }


def document(
    upstreams: Mapping[str, Document],
    routes: Sequence[Document],
    *,
    listen: Mapping[str, Any] | None = None,
    **over: Any,
) -> Document:
    """A whole file: one partner `partner` with these upstreams, every port chosen by the kernel."""
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0", **(listen or {})},
        "admin": {"address": "127.0.0.1:0"},
        "partners": {"partner": {"upstreams": dict(upstreams)}},
        "routes": list(routes),
        **over,
    }


def write(directory: Path, config: Mapping[str, Any]) -> Path:
    """Write `config` into `directory` and return the file."""
    path = directory / "tidegate.yaml"
    path.write_text(json.dumps(config, indent=1), encoding="utf-8")
    return path
