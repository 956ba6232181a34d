"""One arm of INC-03 on its timeline: healthy, broken, healed, moved."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from loadtests.incidents.dns_story import Phase, Story
from loadtests.incidents.dns_zone import FAULTS, NEW, OLD, TTL_S, Zone
from loadtests.incidents.history import History
from loadtests.incidents.schedule import Load, PlannedCall, plan
from loadtests.incidents.stage import Drives, Stage
from proxy.sandbox.client import SandboxPartner

SEED = 3
SLICES: Mapping[str, float] = dict.fromkeys(FAULTS, 1.0)
"""Each call goes to one of the names, by its card's scheme, which no partner looks at here."""
WARM_S = 3.0
BEFORE_MOVE_S = 2.0
MOVE_GRACE_S = 5.0
AFTER_MOVE_S = TTL_S + MOVE_GRACE_S + 2.0


def everywhere(fault: str) -> dict[str, str]:
    """Every name meets this fault."""
    return dict.fromkeys(FAULTS, fault)


EACH_ITS_OWN = {label: label for label in FAULTS}


@dataclass(frozen=True, slots=True)
class Form:
    """How long an arm is; `broken` are its phases with faults: name, faults and seconds."""

    healthy_s: float
    broken: tuple[tuple[str, Mapping[str, str], float], ...]
    calm_s: float

    @property
    def seconds(self) -> float:
        """Of the load that meets the faults."""
        return self.healthy_s + sum(seconds for *_, seconds in self.broken) + self.calm_s


QUICK = Form(
    20.0,
    (("all faults at once", EACH_ITS_OWN, 14.0), ("silence", everywhere("silent"), 6.0)),
    8.0,
)
LONG = Form(
    60.0,
    (
        *((fault, everywhere(fault), 40.0) for fault in FAULTS),
        ("all faults at once", EACH_ITS_OWN, 40.0),
    ),
    20.0,
)
"""A phase of 40 s is longer than the 30 s between two questions to servers that fail."""


def path_of(call: PlannedCall) -> str:
    """Where a call goes."""
    return f"/{call.scheme}/payments"


async def partners(stage: Stage) -> tuple[SandboxPartner, SandboxPartner]:
    """The partner before and after its move: two addresses, one port, the same latencies."""
    old = await stage.partner("old", "acquirer", seed=SEED, host=OLD)
    new = await stage.partner("new", "acquirer", seed=SEED, host=NEW, port=old.port)
    return old, new


@dataclass(frozen=True, slots=True)
class Arm:
    """Whoever makes the calls, under the name by which its calls can be told from others'."""

    name: str
    stage: Stage
    zone: Zone
    driver: Drives
    rate_per_s: float

    async def load(self, label: str, seconds: float, rate_per_s: float | None = None) -> History:
        """A load of its own, outside the story."""
        calls = self._plan(label, seconds, rate_per_s or self.rate_per_s)
        title = f"{self.name} {label}"
        async with self.stage.load(self.driver, path_of, calls, title) as running:
            pass
        return running.history

    async def play(self, form: Form, recovered: Callable[[], Awaitable[float]]) -> Story:
        """The whole timeline. `recovered` returns when the arm says that it is well again."""
        warming = await self.load("warm-up", WARM_S)
        self.zone.server.forget()
        calls = self._plan("main", form.seconds, self.rate_per_s)
        title = f"{self.name} faults"
        async with self.stage.load(self.driver, path_of, calls, title) as running:
            offset_s = form.healthy_s
            await running.at(offset_s)
            phases = [Phase("healthy", running.starts_at, time.monotonic())]
            for name, faults, seconds in form.broken:
                began_at = time.monotonic()
                self.zone.break_down(faults)
                offset_s += seconds
                await running.at(offset_s)
                phases.append(Phase(name, began_at, time.monotonic(), faults))
            self.zone.heal()
            healed_at = time.monotonic()
            fresh_after_s = await recovered()
        moving, moved_at = await self._move()
        queries = self.zone.server.queries()
        return Story(
            warming,
            running.history,
            phases,
            queries,
            healed_at,
            moving,
            moved_at,
            fresh_after_s,
        )

    async def _move(self) -> tuple[History, float]:
        """The partner gets another address, and goes on at the old one too."""
        calls = self._plan("move", BEFORE_MOVE_S + AFTER_MOVE_S, self.rate_per_s)
        title = f"{self.name} move"
        async with self.stage.load(self.driver, path_of, calls, title) as running:
            await running.at(BEFORE_MOVE_S)
            moved_at = time.monotonic()
            self.zone.move(NEW)
        return running.history, moved_at

    def _plan(self, prefix: str, seconds: float, rate_per_s: float) -> list[PlannedCall]:
        return plan(Load(rate_per_s, seconds, SEED, prefix, SLICES), self.name)
