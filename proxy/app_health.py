"""Puts health together: events in, verdicts and incidents out, kept on disk, told to webhooks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Coroutine, Iterable, Mapping, Sequence
from typing import Any

from proxy.alerts.delivery import Alerts
from proxy.app_parts import Around
from proxy.guard.guards import Guards
from proxy.health.checker import UNPROVEN, Trouble
from proxy.health.health import Health, Notice
from proxy.health.keeping import Keeper
from proxy.health.report import Reports
from proxy.health.slices import SlowLimit
from proxy.model.breaker import BREAKER
from proxy.model.events import IncidentChanged
from proxy.model.unsettled import Unsettled
from proxy.telemetry.sink import Sink


class HealthRoom:
    """All that says who has degraded. `load` is the report that breakers are a part of."""

    def __init__(self, around: Around, guards: Guards, sink: Sink) -> None:
        setup = around.setup
        self._emit = around.emit
        self._alerts = Alerts(setup.alerts, around.clock.now, socket.gethostname())
        self._health = Health(
            around.clock, self._changed, slow_limit(guards), setup.built.routes, setup.health
        )
        self.reports = Reports(self._health, around.clock)
        self._keeper = Keeper(self._health, setup.health.file)
        sink.also = self._health.event
        sink.health.degraded = self.reports.degraded
        sink.health.open = lambda: len(self._health.incidents.open)
        sink.health.receivers = self._alerts.report
        self.notes = self._keeper.recall()
        for each in self._health.incidents.open:
            self._alerts.recall(each.told("opened"))
        self.unsettled: Sequence[Unsettled] = ()
        """What has no end in the journal, as it was seen last."""
        self.notices: Callable[[str, Iterable[Notice]], None] = self._health.notices
        """What other rooms know without counting calls: (source, all of it)."""
        self.load: Callable[[], Mapping[str, Any]] = dict
        """Breakers among it; set by the composition root."""

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What has to run beside the calls."""
        return [self._keeper.run(), *self._alerts.works()]

    async def close(self) -> None:
        """Keep what is known, before the end."""
        await self._keeper.write()

    def tick(self, names: list[tuple[str, str, str, float]], checks: Iterable[Trouble]) -> None:
        """Once a second; `names` are those in trouble, `checks` what checks know.

        A check that fails is no verdict: where calls go they say more, and elsewhere the
        standby is not proven soon.
        """
        self._health.names(names)
        self._health.notices("checks", (_unproven(each) for each in checks if each[3] == UNPROVEN))
        self._health.look()

    def in_doubt(self, found: Sequence[Unsettled]) -> None:
        """What has no end in the journal."""
        self.unsettled = found
        self._health.in_doubt(found)

    def trouble(self) -> str:
        """Why incidents would not outlive a restart, or nothing."""
        return self._keeper.trouble

    # -- what the admin listener serves ------------------------------------------------

    def verdicts(self) -> dict[str, Any]:
        """What stands now."""
        return self.reports.verdicts()

    def incidents(self) -> dict[str, Any]:
        """All records."""
        return self.reports.incidents() | {"kept_trouble": self._keeper.trouble}

    def incident(self, id_: str) -> dict[str, Any] | None:
        """One record."""
        return self.reports.incident(id_)

    def markdown(self, id_: str) -> str | None:
        """The same as a page."""
        return self.reports.markdown(id_)

    def overview(self) -> dict[str, Any]:
        """Everything at a glance."""
        return self.reports.overview(self.load()["breakers"]) | {"receivers": self._alerts.report()}

    def _changed(self, event: IncidentChanged) -> None:
        self._emit(event)
        self._alerts.take(event)


def _unproven(trouble: Trouble) -> Notice:
    partner, upstream, _, reason, origin, since = trouble
    text = "neither a call nor a check has passed there"
    return Notice(partner, upstream, "standby", f"standby_{reason}", origin, since, text)


def slow_limit(guards: Guards) -> SlowLimit:
    """The guard's own idea of slow, so that there is one; without a breaker the default."""

    def limit(upstream: str, compartment: str) -> float:
        try:
            return guards.of(upstream, compartment).slow_s
        except KeyError:
            return BREAKER.slow_max_s

    return limit
