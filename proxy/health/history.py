"""PURE. What changed at each upstream lately: breakers, checks, operators' words.

A bounded list for each, the newest last, so that whoever is called at night sees
what happened before.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

from proxy.model.events import BreakerChanged, CheckChanged, Event, OverrideChanged

KEPT_MAX = 100
"""Of one upstream; a breaker that flaps every five seconds fills it in eight minutes."""
_UPSTREAMS_MAX = 1000


class History:
    """Of all upstreams."""

    def __init__(self) -> None:
        self._of: dict[str, deque[dict[str, Any]]] = {}

    def note(self, event: Event, wall: float) -> None:
        """Take one event, whatever it is."""
        if isinstance(event, BreakerChanged):
            where = f"{event.compartment} · {event.part}" if event.part else event.compartment
            self._add(event.upstream, wall, "breaker", event.state, where, _breaker(event))
        elif isinstance(event, CheckChanged):
            what = "standby" if event.change in ("proven", "unproven") else "checks"
            self._add(event.upstream, wall, what, event.change, "", event.reason)
        elif isinstance(event, OverrideChanged):
            said = event.override
            why = f"by {said.by}: {said.reason}"
            state = f"{said.kind.value} {event.change}"
            self._add(said.upstream, wall, "operator", state, said.route, why)

    def report(self, upstreams: Iterable[str]) -> list[dict[str, Any]]:
        """What changed at these, the newest first; `at` is seconds since 1970."""
        found = [row for name in upstreams for row in self._of.get(name, ())]
        return sorted(found, key=lambda row: float(row["at"]), reverse=True)[:KEPT_MAX]

    def _add(self, upstream: str, at: float, what: str, state: str, where: str, why: str) -> None:
        if upstream not in self._of and len(self._of) >= _UPSTREAMS_MAX:
            return
        row = {"at": at, "upstream": upstream, "what": what, "state": state,
               "where": where, "why": why}  # fmt: skip
        self._of.setdefault(upstream, deque(maxlen=KEPT_MAX)).append(row)


def _breaker(event: BreakerChanged) -> str:
    shadow = " (shadow: it refuses nothing)" if event.shadow else ""
    return f"was {event.was}: {event.reason}{shadow}"
