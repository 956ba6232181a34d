"""Tidegate: one route, one upstream, call log on, as a user would start it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

from loadtests.bench.calllog import LogFields
from loadtests.bench.host import REPOSITORY, free_port
from loadtests.bench.subjects.base import Launch, Place

_PACKAGE = os.environ.get("TIDEGATE_PACKAGE") or str(REPOSITORY)
"""Where `proxy` stands: this tree, or a folder that `make compiled` made of it."""
_PYTHON = ("env", f"PYTHONPATH={_PACKAGE}", sys.executable, "-P")


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
        """As the command says it, with whether it is compiled."""
        said = subprocess.run(
            [*_PYTHON, "-m", "proxy", "--version"], capture_output=True, text=True, check=True
        )
        return said.stdout.strip()

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
        return Launch([*_PYTHON, "-m", "proxy", "run", "--config", str(path)], logs_to_stdout=True)
