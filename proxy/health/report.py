"""The documents of the admin listener: verdicts, incidents, and the overview of all slices."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from proxy.health import record
from proxy.health.health import Health
from proxy.health.incident import Incident
from proxy.health.sentence import evidence_lines, sentence
from proxy.health.slices import Slice, Value, totals
from proxy.health.verdict import Verdict
from proxy.model.clock import Clock

SCHEMA = 1
_GUARD = ("state", "p50_ms", "p99_ms", "ordinary_p99_ms", "admitted_share", "why")
"""Of a breaker's row in the load report."""
Breakers = Iterable[Mapping[str, Any]]
At = tuple[str, str, str]
"""Partner, upstream and operation."""
Guard = Callable[[str, str, str], Mapping[str, Any] | None]
"""(upstream, operation, part) -> its breaker's row of the load report."""


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

    def recent(self, count: int) -> list[dict[str, Any]]:
        """The newest incidents and all open ones, the newest first, in a few members."""
        kept = list(self._health.incidents.all.values())
        newest = [*(each for each in kept[:-count] if each.ended_at is None), *kept[-count:]]
        return [_brief(each) for each in reversed(newest)]

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
        partners: dict[str, list[dict[str, Any]]] = {}
        by = {(row["upstream"], row["compartment"], row["part"]): row for row in breakers}
        places = [(row["partner"], *at[:2]) for at, row in by.items() if not at[2]]
        for name, row in self.rows(places, lambda *at: by.get(at)):
            partners.setdefault(name, []).append(row)
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

    def rows(self, places: Iterable[At], guard: Guard) -> Iterator[tuple[str, dict[str, Any]]]:
        """(partner, row) of each slice, made one by one, so that the reader may pause between.

        `places` are those with a breaker, `guard` gives what is to be seen of a breaker.
        """
        hurt = self._hurt()
        for partner, upstream, operation in places:
            if (upstream, operation, None) not in self._health.slices.all:
                yield partner, _unused(upstream, operation, guard(upstream, operation, "") or {})
        for each in tuple(self._health.slices.all.values()):
            part = "" if each.value is None else "=".join(each.value)
            breaker = guard(each.upstream, each.operation, part) or {}
            at = (each.upstream, each.operation, each.value)
            words = hurt.get(at) or hurt.get((each.upstream, "", each.value))
            yield each.partner, self._slice(each, breaker, words)

    def upstream(self, name: str) -> dict[str, Any]:
        """Latency by phase, of one upstream."""
        return {"upstream": name, "phases": self._health.phases.report(name, self._clock.now())}

    def history(self, upstreams: Iterable[str]) -> list[dict[str, Any]]:
        """What changed at these upstreams, the newest first."""
        return self._health.history.report(upstreams)

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

    def _hurt(self) -> dict[tuple[str, str, Value | None], str]:
        """The sentence that each slice is under; no operation: all of the upstream's."""
        found: dict[tuple[str, str, Value | None], str] = {}
        for each in reversed(self._health.verdicts):
            words = sentence(each, self._wall_of)
            for place in each.places:
                for value in place.values or (None,):
                    found[place.upstream, place.operation, value] = words
        return found

    def _slice(self, each: Slice, guard: Mapping[str, Any], words: str | None) -> dict[str, Any]:
        figures = totals(each, self._clock.now())
        calls = figures["calls"]
        return {
            "upstream": each.upstream,
            "operation": each.operation,
            "value": None if each.value is None else dict([each.value]),
            "state": "ok" if words is None else "degraded",
            "breaker": guard.get("state", each.breaker),
            **figures,
            "share": round(figures["failed"] / calls, 4) if calls else 0.0,
            **{name: guard.get(name) for name in _GUARD[1:]},
            "sentence": words,
        }

    def _wall_of(self, instant: float) -> float:
        return self._clock.wall() - (self._clock.now() - instant)


def _brief(each: Incident) -> dict[str, Any]:
    return {
        "id": each.id,
        "partners": list(each.partners),
        "sentence": each.sentence,
        "opened_at": each.opened_at,
        "ended_at": each.ended_at,
        "since": each.since,
        "impact": list(each.impact),
        "part_of": each.part_of or None,
    }


def _unused(upstream: str, operation: str, guard: Mapping[str, Any]) -> dict[str, Any]:
    """A slice that no call has met."""
    return {
        "upstream": upstream,
        "operation": operation,
        "value": None,
        "state": "unused",
        "breaker": guard.get("state", "closed"),
        "calls": 0,
        "failed": 0,
        "slow": 0,
        "share": 0.0,
        **{name: guard.get(name) for name in _GUARD[1:]},
        "sentence": None,
    }


def _partner(name: str, rows: list[dict[str, Any]]) -> dict[str, Any]:
    states = {row["state"] for row in rows}
    worst = next(state for state in ("degraded", "ok", "unused") if state in states)
    return {"partner": name, "state": worst, "slices": rows}
