"""Tidegate: one route, one upstream, call log on, as a user would start it."""

from __future__ import annotations

import compileall
import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import REPOSITORY, free_port
from loadtests.bench.subjects.base import Launch, Place
from loadtests.bench.telemetry import SAMPLE_RATIO, Told

_PACKAGE = os.environ.get("TIDEGATE_PACKAGE") or str(REPOSITORY)
"""Where `proxy` stands: this tree, or a folder that `make compiled` made of it."""
_PYTHON = ("env", f"PYTHONPATH={_PACKAGE}", sys.executable, "-P")


def run_command(config: Path) -> list[str]:
    """How the sidecar is started, whichever package is measured."""
    return [*_PYTHON, "-m", "proxy", "run", "--config", str(config)]


class Tidegate:
    """The sidecar under test."""

    name = "tidegate"
    told: ClassVar[Told | None] = None
    fields = LogFields(time="at", target="route", duration="duration_us", mark='"event":"call"')

    def __init__(self, journal: Mapping[str, Any] | None = None) -> None:
        self._journal = journal

    def absent(self) -> str | None:
        """Only when its package cannot be found."""
        found = importlib.util.find_spec("proxy")
        return None if found else "package proxy not found: run from the repository"

    def version(self) -> str:
        """As the command says it, with whether it is compiled.

        Byte code is made first: an installation has it, and a tree only where nothing forbids
        to write it (PYTHONDONTWRITEBYTECODE); without it each start compiles all sources.
        """
        compileall.compile_dir(f"{_PACKAGE}/proxy", quiet=2)
        said = subprocess.run(
            [*_PYTHON, "-m", "proxy", "--version"], capture_output=True, text=True, check=True
        )
        return said.stdout.strip()

    def launch(self, place: Place) -> Launch:
        """JSON is YAML, so the file needs no YAML writer."""
        path = place.write("tidegate.yaml", json.dumps(self.config(place), indent=1))
        return Launch(run_command(path), logs_to_stdout=True)

    def config(self, place: Place) -> dict[str, Any]:
        """All of it."""
        return {
            "version": 1,
            "listen": {"address": f"127.0.0.1:{place.port}"},
            "admin": {"address": f"127.0.0.1:{place.admin_port or free_port()}"},
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


class TidegateTraced(Tidegate):
    """With its telemetry as it is by default: 1 % traced, metrics, both to a collector.

    Two settings are none of its defaults, which would make it look better than it is: it keeps 100
    traces a second at most, a third of 1 % under this load; and it exports metrics each 30 s, which
    is longer than a visit.
    """

    name = "tidegate-traced"
    told = Told("tidegate", "/metrics", "tidegate_calls_total", "tidegate_call_duration_seconds")

    def config(self, place: Place) -> dict[str, Any]:
        """The same, and a collector."""
        telemetry = {
            "endpoint": f"http://127.0.0.1:{place.collector_port}",
            "sample_ratio": SAMPLE_RATIO,
            "traces_per_s_max": 600,
            "metrics_interval": "10s",
        }
        return super().config(place) | {"telemetry": telemetry}
