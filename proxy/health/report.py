"""The documents of the admin listener: verdicts, incidents, and the overview of all slices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proxy.health import record
from proxy.health.health import Health
from proxy.health.sentence import evidence_lines, sentence
from proxy.health.slices import Slice, totals
from proxy.health.verdict import Verdict
from proxy.model.clock import Clock

SCHEMA = 1
_GUARD = ("state", "p50_ms", "p99_ms", "ordinary_p99_ms", "admitted_share", "why")
"""Of a breaker's row in the load report."""
Breakers = Sequence[Mapping[str, Any]]


class Reports:
    """`breakers` are the rows of the load report, asked for when the overview is."""

    def __init__(self, health: Health, clock: Clock) -> None:
        self._health = health
        self._clock = clock
        self._seen: object = None
        self._changes = 0

    def verdicts(self) -> dict[str, Any]:
        """Everything that stands now, the oldest first."""
        by_verdict = {id(each.verdict): each.id for each in self._health.incidents.open}
        rows = [
            self._verdict(each) | {"incident": by_verdict.get(id(each))}
            for each in self._health.verdicts
        ]
        return {"schema": SCHEMA, "verdicts": rows}

    def incidents(self) -> dict[str, Any]:
        """All incidents, the newest first, without timelines."""
        rows = [record.document(each) for each in self._health.incidents.all.values()]
        for row in rows:
            del row["timeline"], row["evidence"]
        return {"schema": SCHEMA, "incidents": rows[::-1]}

    def incident(self, id_: str) -> dict[str, Any] | None:
        """One incident with all that is known."""
        found = self._health.incidents.all.get(id_)
        return None if found is None else {"schema": SCHEMA, "incident": record.document(found)}

    def markdown(self, id_: str) -> str | None:
        """The same for people."""
        found = self._health.incidents.all.get(id_)
        return None if found is None else record.markdown(found)

    def overview(self, breakers: Breakers) -> dict[str, Any]:
        """Partners and their slices as a grid, verdicts, open incidents, and a change counter."""
        guarded = {(row["upstream"], row["compartment"], row["part"]): row for row in breakers}
        hurt = self._hurt()
        partners: dict[str, list[dict[str, Any]]] = {}
        for row in breakers:  # those that had no call yet
            key = (row["upstream"], row["compartment"], None)
            if not row["part"] and key not in self._health.slices.all:
                partners.setdefault(row["partner"], []).append(_unused(row))
        for each in self._health.slices.all.values():
            part = "" if each.value is None else "=".join(each.value)
            guard = guarded.get((each.upstream, each.operation, part), {})
            row = self._slice(each, guard, hurt.get(id(each)))
            partners.setdefault(each.partner, []).append(row)
        open_ones = [record.document(each) for each in self._health.incidents.open]
        grid = [_partner(name, rows) for name, rows in sorted(partners.items())]
        standing = self.verdicts()["verdicts"]
        return {
            "schema": SCHEMA,
            "at": self._clock.wall(),
            "changes": self.changes(),
            "partners": grid,
            "verdicts": standing,
            "incidents": open_ones,
        }

    def changes(self) -> int:
        """Rises when a verdict, an incident or a breaker has changed; figures do not count."""
        health = self._health
        places = tuple((each.places, each.phase, each.origin) for each in health.verdicts)
        breakers = tuple(each.breaker for each in health.slices.all.values())
        seen = (places, health.incidents.version, breakers)
        if seen != self._seen:
            self._seen = seen
            self._changes += 1
        return self._changes

    def degraded(self) -> list[dict[str, str]]:
        """The labels of each degraded slice, for metrics."""
        return [
            {
                "partner": place.partner,
                "upstream": place.upstream,
                "slice": place.slice,
                "phase": each.phase,
                "origin": each.origin.value,
            }
            for each in self._health.verdicts
            for place in each.places
        ]

    def _verdict(self, each: Verdict) -> dict[str, Any]:
        return {
            "partner": each.partners[0] if len(each.partners) == 1 else None,
            "partners": list(each.partners),
            "places": [
                {"partner": at.partner, "upstream": at.upstream, "operation": at.operation or None,
                 "values": dict(at.values), "slice": at.slice}
                for at in each.places
            ],
            "phase": each.phase,
            "kind": each.kind.value,
            "reason": each.reason,
            "origin": each.origin.value,
            "confidence": each.confidence.value,
            "since": self._wall_of(each.since),
            "bad": each.bad,
            "calls": each.calls,
            "share": round(each.share, 4),
            "instead": list(each.instead),
            "others_reached": list(each.others_reached),
            "sentence": sentence(each, self._wall_of),
            "evidence": evidence_lines(each, self._wall_of),
        }  # fmt: skip

    def _hurt(self) -> dict[int, Verdict]:
        """The verdict that each slice is under, by the slice's identity."""
        return {
            id(at): each
            for each in reversed(self._health.verdicts)
            for place in each.places
            for at in self._health.slices_of(place)
        }

    def _slice(
        self, each: Slice, guard: Mapping[str, Any], verdict: Verdict | None
    ) -> dict[str, Any]:
        figures = totals(each, self._clock.now())
        calls = figures["calls"]
        return {
            "upstream": each.upstream,
            "operation": each.operation,
            "value": None if each.value is None else dict([each.value]),
            "state": "ok" if verdict is None else "degraded",
            "breaker": guard.get("state", each.breaker),
            **figures,
            "share": round(figures["failed"] / calls, 4) if calls else 0.0,
            **{name: guard.get(name) for name in _GUARD[1:]},
            "sentence": None if verdict is None else sentence(verdict, self._wall_of),
        }

    def _wall_of(self, instant: float) -> float:
        return self._clock.wall() - (self._clock.now() - instant)


def _unused(row: Mapping[str, Any]) -> dict[str, Any]:
    """A slice that no call has met."""
    return {
        "upstream": row["upstream"],
        "operation": row["compartment"],
        "value": None,
        "state": "unused",
        "breaker": row["state"],
        "calls": 0,
        "failed": 0,
        "slow": 0,
        "share": 0.0,
        **{name: row.get(name) for name in _GUARD[1:]},
        "sentence": None,
    }


def _partner(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    states = {row["state"] for row in rows}
    worst = next(state for state in ("degraded", "ok", "unused") if state in states)
    return {"partner": name, "state": worst, "slices": rows}
