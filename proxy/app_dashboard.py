"""What the dashboard shows, gathered from all rooms: nothing is made before somebody looks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

from proxy import __version__
from proxy.app_parts import Around
from proxy.dns.service import Dns
from proxy.guard.guards import Guards
from proxy.health.checker import Checker
from proxy.health.report import Reports
from proxy.model.unsettled import Unsettled
from proxy.routing.orders import Orders

SCHEMA = 1
_INCIDENTS = 30
"""Told as they change; all are at /incidents."""
_NO_JOURNAL = {"schema": SCHEMA, "calls": [], "journal": False}

Piece = tuple[str, str, Any]


class Health(Protocol):
    """Whoever says who has degraded."""

    reports: Reports
    unsettled: Sequence[Unsettled]
    """What has no end in the journal."""

    def trouble(self) -> str:
        """Why incidents would not outlive a restart, or nothing."""


class JournalDesk(Protocol):
    """Whoever knows of calls in doubt."""

    async def doubts(self) -> tuple[int, dict[str, Any]]:
        """(status, document) of them."""


@dataclass(frozen=True, slots=True)
class Rooms:
    """Who is asked."""

    health: Health
    guards: Guards
    checker: Checker
    dns: Dns
    orders: Orders
    journal: JournalDesk | None
    ready: Callable[[], bool]


class Dashboard:
    """Documents for the pages."""

    def __init__(self, around: Around, rooms: Rooms) -> None:
        self._around = around
        self._setup = around.setup
        self._rooms = rooms
        self._upstreams: dict[str, list[str]] = {}
        for each in self._setup.built.upstreams.values():
            self._upstreams.setdefault(each.partner, []).append(each.name)

    def pieces(self) -> Iterator[Piece]:
        """Everything at a glance, each piece made when it is asked for."""
        reports, guards = self._rooms.health.reports, self._rooms.guards
        yield "about", "", self._about()
        yield "verdicts", "", reports.verdicts()["verdicts"]
        yield "incidents", "", reports.recent(_INCIDENTS)
        yield "unsettled", "", [asdict(each) for each in self._rooms.health.unsettled]
        yield "overrides", "", self._overrides()
        for partner, row in reports.rows(guards.places(), guards.glance):
            del row["sentence"]  # it stands with the verdicts
            key = f"{row['upstream']}\n{row['operation']}\n{row['value']}"
            yield "rows", key, {"partner": partner, **row}

    def partner(self, name: str) -> dict[str, Any] | None:
        """Latency by phase, names, proofs and what changed, of one partner."""
        upstreams = self._upstreams.get(name)
        if upstreams is None:
            return None
        reports, proofs = self._rooms.health.reports, self._rooms.checker.report()
        checked = {row["upstream"]: row for row in proofs}
        return {
            "schema": SCHEMA,
            "at": self._around.clock.wall(),
            "partner": name,
            "upstreams": [
                reports.upstream(each) | {"dns": self._rooms.dns.of(each), "proof": checked[each]}
                for each in upstreams
            ],
            "history": reports.history(upstreams),
        }

    def config(self) -> dict[str, Any]:
        """What is in force, and what operators' words make different from the file."""
        told = self._rooms.orders.tell()
        return {
            "schema": SCHEMA,
            "hash": self._setup.hash,
            "settings": json.loads(self._setup.shown),
            "routes": told["routes"],
            "overrides": told["overrides"],
        }

    async def doubts(self) -> tuple[int, dict[str, Any]]:
        """The calls that are in doubt."""
        if self._rooms.journal is None:
            return 200, dict(_NO_JOURNAL)
        return await self._rooms.journal.doubts()

    def _about(self) -> dict[str, Any]:
        return {
            "version": __version__,
            "hash": self._setup.hash,
            "ready": self._rooms.ready(),
            "journal": self._rooms.journal is not None,
            "writable": self._setup.admin.token is not None,
            "trouble": self._rooms.health.trouble(),
            "partners": self._upstreams,
        }

    def _overrides(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = self._rooms.orders.tell()["overrides"]
        return [
            {name: value for name, value in row.items() if name != "remaining_s"}
            | {"until": round(row["until"])}
            for row in rows
        ]
