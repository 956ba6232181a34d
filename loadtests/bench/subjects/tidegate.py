"""Tidegate: one route, one upstream, call log on, as a user would start it."""

from __future__ import annotations

import importlib.util
import json
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import free_port
from loadtests.bench.subjects.base import Launch, Place


class Tidegate:
    """The sidecar under test."""

    name = "tidegate"
    fields = LogFields(time="at", target="route", duration="duration_us", mark='"event":"call"')

    def __init__(self, journal: Mapping[str, Any] | None = None) -> None:
        self._journal = journal

    def absent(self) -> str | None:
        """Only when its package cannot be found."""
        found = importlib.util.find_spec("proxy")
        return None if found else "package proxy not found: run from the repository"

    def version(self) -> str:
        """Of the installed distribution; a source tree alone has none."""
        try:
            return version("tidegate")
        except PackageNotFoundError:
            return "source tree"

    def launch(self, place: Place) -> Launch:
        """JSON is YAML, so the file needs no YAML writer."""
        config = {
            "version": 1,
            "listen": {"address": f"127.0.0.1:{place.port}"},
            "admin": {"address": f"127.0.0.1:{free_port()}"},
            "log": {"calls": True},
            **({"journal": dict(self._journal)} if self._journal else {}),
            "partners": {
                "bench": {
                    "upstreams": {
                        "upstream": {"url": f"http://127.0.0.1:{place.upstream_port}"},
                    },
                },
            },
            "routes": [
                {
                    "name": "charges",
                    "match": {"path": "/"},
                    "operation": "authorize",
                    "candidates": ["upstream"],
                    "deadline": "30s",
                }
            ],
        }
        path = place.write("tidegate.yaml", json.dumps(config, indent=1))
        argv = [sys.executable, "-m", "proxy", "run", "--config", str(path)]
        return Launch(argv, logs_to_stdout=True)
