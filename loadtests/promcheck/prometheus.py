"""Prometheus and promtool: run, asked."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import aiohttp

PROMTOOL_S = 120.0
SCRAPE_INTERVAL_S = 1


def promtool(*arguments: str, text: str | None = None) -> str | None:
    """What promtool has to complain of; None if it has nothing."""
    done = subprocess.run(
        ("promtool", *arguments), input=text, capture_output=True, text=True, timeout=PROMTOOL_S,
        check=False,
    )  # fmt: skip
    said = (done.stdout + done.stderr).strip()
    return said if done.returncode else None


def configuration(target: str, rules: Sequence[Path]) -> dict[str, Any]:
    """Prometheus's file: the sidecar under the job's name that alerts rely on, and our rules."""
    every = f"{SCRAPE_INTERVAL_S}s"
    return {
        "global": {"scrape_interval": every, "evaluation_interval": every},
        "rule_files": [str(path) for path in rules],
        "scrape_configs": [{"job_name": "tidegate", "static_configs": [{"targets": [target]}]}],
    }


def command(folder: Path, port: int, settings: dict[str, Any]) -> list[str]:
    """How it is started, on loopback, with everything that it writes in `folder`."""
    path = folder / "prometheus.yaml"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return [
        "prometheus",
        f"--config.file={path}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]


class Prometheus:
    """A running one, asked over HTTP."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self._url = url
        self._session = session

    async def series(self, expression: str, begins_at: float, ends_at: float) -> int:
        """How many series an expression has in that time; raises ValueError if it is none."""
        return sum(_is_number(each) for each in await self._range(expression, begins_at, ends_at))

    async def alerts(self, begins_at: float, ends_at: float, selector: str = "") -> set[str]:
        """The alerts that were pending or firing at some time between."""
        found = await self._range(f"count by (alertname) (ALERTS{selector})", begins_at, ends_at)
        return {each["metric"]["alertname"] for each in found}

    async def _range(
        self, expression: str, begins_at: float, ends_at: float
    ) -> list[dict[str, Any]]:
        asked = {"query": expression, "start": str(begins_at), "end": str(ends_at), "step": "1"}
        async with self._session.get(f"{self._url}/api/v1/query_range", params=asked) as reply:
            document = await reply.json()
        if document["status"] != "success":
            raise ValueError(document["error"])
        result: list[dict[str, Any]] = document["data"]["result"]
        return result

    async def rules(self) -> list[dict[str, Any]]:
        """All rules as it has them, with their health and their last error."""
        async with self._session.get(f"{self._url}/api/v1/rules") as reply:
            document = await reply.json()
        return [rule for group in document["data"]["groups"] for rule in group["rules"]]


def _is_number(series: dict[str, Any]) -> bool:
    """Whether any of its values is one: 0 / 0 draws no line."""
    return any(value != "NaN" for _, value in series["values"])
