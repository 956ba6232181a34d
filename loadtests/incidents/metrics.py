"""What the sidecar says of itself, and what the kernel says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.incidents.process import ReplayError

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]

_SAMPLE = re.compile(r"^([a-zA-Z_:][\w:]*)(?:\{(.*)\})?\s+(\S+)(?:\s+\d+)?$")
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


def parse_metrics(text: str) -> Samples:
    """The samples of a Prometheus text exposition, by name and labels."""
    samples = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.match(line)
        if match is None:
            raise ValueError("a line of the exposition is no sample")
        name, labels, value = match.groups()
        samples[name, frozenset(_LABEL.findall(labels or ""))] = float(value)
    return samples


def sample(samples: Samples, name: str, **labels: str) -> float:
    """One sample; a missing one is an error, for a bar may not rest on an assumed 0."""
    try:
        return samples[name, frozenset(labels.items())]
    except KeyError:
        shown = ",".join(f'{key}="{value}"' for key, value in labels.items())
        raise ReplayError(f"/metrics has no {name}{{{shown}}}") from None


@dataclass(frozen=True, slots=True)
class Finding:
    """One row of `/findings`: something is wrong, where and whose doing it is."""

    upstream: str
    phase: str
    reason: str
    origin: str
    count: int


class Admin:
    """The sidecar's admin listener, as a replay reads it."""

    def __init__(self, base_url: str) -> None:
        self.url = self._base_url = base_url
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0))

    async def close(self) -> None:
        """Close the connections."""
        await self._session.close()

    async def metrics(self) -> Samples:
        """All samples of `/metrics`, now."""
        async with self._session.get(f"{self._base_url}/metrics") as answer:
            answer.raise_for_status()
            return parse_metrics(await answer.text())

    async def connections(self, upstream: str) -> dict[str, int]:
        """The upstream's pooled connections by state."""
        samples = await self.metrics()
        return {
            state: int(sample(samples, "tidegate_pool_connections", upstream=upstream, state=state))
            for state in ("idle", "busy", "lingering")
        }

    async def findings(self) -> list[Finding]:
        """All rows of `/findings`, now."""
        async with self._session.get(f"{self._base_url}/findings") as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
        return [
            Finding(
                upstream=str(row["upstream"]),
                phase=str(row["phase"]),
                reason=str(row["reason"]),
                origin=str(row["origin"]),
                count=int(row["count"]),
            )
            for row in document["findings"]
        ]

    async def load(self) -> dict[str, list[dict[str, Any]]]:
        """`/load`: admission, compartments and breakers, now."""
        async with self._session.get(f"{self._base_url}/load") as answer:
            answer.raise_for_status()
            document: dict[str, list[dict[str, Any]]] = await answer.json()
        return document

    async def put(self, path: str, said: Mapping[str, Any]) -> dict[str, Any]:
        """What an operator says at this path, and the answer to it."""
        async with self._session.put(f"{self._base_url}{path}", json=dict(said)) as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
        return document

    async def routes(self) -> dict[str, Any]:
        """`/routes`: where calls go, by the file and now."""
        async with self._session.get(f"{self._base_url}/routes") as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
        return document

    async def names(self) -> list[dict[str, Any]]:
        """All rows of `/dns`: what is known of each name, now."""
        async with self._session.get(f"{self._base_url}/dns") as answer:
            answer.raise_for_status()
            document: dict[str, Any] = await answer.json()
        names: list[dict[str, Any]] = document["names"]
        return names


def rss_bytes(pid: int) -> int:
    """Resident memory of a process."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise ReplayError(f"the kernel names no resident memory for process {pid}")
