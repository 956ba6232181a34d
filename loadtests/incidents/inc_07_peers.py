"""INC-07 for Envoy and a plain client: a standby dies unnoticed, and later the primary goes.

No operator forces anything here: neither has such a word. Their phases are shorter than
the sidecar's where nothing rests on the length: Envoy's checks connect every second.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from loadtests.incidents.arms import Played, passed
from loadtests.incidents.figures import latency_ms, reasons
from loadtests.incidents.peers import Arm, MakesArm
from loadtests.incidents.result import Figure
from loadtests.incidents.run import Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Running, Stage
from loadtests.incidents.stats import share_of
from loadtests.incidents.usual import Usual
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 50.0
SCHEMES = {"visa": 0.5, "mastercard": 0.4, "amex": 0.1}
CONNECT_S, DEADLINE_S = 1.0, 5.0
GONE_S = 12.0
"""How long the primary is gone, for the sidecar too."""
AFTER_S, WINDOW_S = 3.0, 1.0
"""The calls once it is back, and those that a share is of; never scaled, as shares need calls."""
_STANDBY_DIES_S, _STANDBY_BACK_S, _PRIMARY_GOES_S = 4.0, 16.0, 20.0
_LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Times:
    """The peers' timeline, in seconds of the load."""

    standby_dies_s: float
    standby_back_s: float
    primary_goes_s: float
    primary_back_s: float
    end_s: float


def times(run: Run) -> Times:
    """As `run` means them. PURE."""
    back_s = run.scaled(_PRIMARY_GOES_S + GONE_S)
    return Times(
        run.scaled(_STANDBY_DIES_S),
        run.scaled(_STANDBY_BACK_S),
        run.scaled(_PRIMARY_GOES_S),
        back_s,
        back_s + AFTER_S,
    )


async def staged(stage: Stage) -> list[SandboxPartner]:
    """Two upstreams of one partner, the primary first."""
    names = {"primary": 7, "standby": 8}
    started = [stage.partner(name, "acquirer", seed=seed) for name, seed in names.items()]
    return list(await asyncio.gather(*started))


async def peers(run: Run, kind: str) -> list[Played]:
    """Envoy and the plain client through one way of being gone, beside each other."""
    usual = Usual(
        *("/psp/", "payments", run.scaled(DEADLINE_S), lambda _: {}),
        connect_s=run.scaled(CONNECT_S),
        factor=run.factor,
        connections_max=256,
    )
    arms = enumerate(usual.peers)
    return list(await asyncio.gather(*(_play(run, kind, number, make) for number, make in arms)))


async def _play(run: Run, kind: str, number: int, make: MakesArm) -> Played:
    """One of them, on partners of its own, until the last call has ended."""
    async with Stage(run.directory / f"{kind}-peer-{number}", run.progress) as stage:
        partners = await staged(stage)
        arm = await make(run, stage, partners)
        load = Load(RATE_PER_S, times(run).end_s, 7, f"{kind}-peers", SCHEMES)
        calls = plan(load, kind)
        async with stage.load(arm.drives, arm.path, calls, f"{kind} {arm.name}") as running:
            played = Played(arm.name, running.history, math.nan)
            await _timeline(times(run), kind, (arm, running, partners), played)
        played.executions = stage.executions()
    return played


async def _timeline(
    at: Times, kind: str, on: tuple[Arm, Running, Sequence[SandboxPartner]], played: Played
) -> None:
    """The standby dies and is back, watched; then the primary goes and is back."""
    arm, running, (primary, standby) = on
    await running.at(at.standby_dies_s)
    dead_at = time.monotonic()
    await asyncio.to_thread(standby.set_faults, {"kind": kind})
    watch = asyncio.create_task(_watch(arm, played, dead_at))
    try:
        await running.at(at.standby_back_s)
    finally:
        stopped = watch.cancel()
        ended = await asyncio.gather(watch, return_exceptions=True)
    if not stopped and isinstance(ended[0], Exception):
        raise ended[0]
    await asyncio.to_thread(standby.clear)
    await running.at(at.primary_goes_s)
    played.fault_at = time.monotonic()
    await asyncio.to_thread(primary.set_faults, {"kind": kind})
    await running.at(at.primary_back_s)
    await asyncio.to_thread(primary.clear)
    played.cleared_at = time.monotonic()


async def _watch(arm: Arm, played: Played, dead_at: float) -> None:
    """Note when the arm first says that something is wrong: only the standby is."""
    while True:
        said = await arm.sees()
        after_s = time.monotonic() - dead_at
        for what in said:
            played.said.setdefault(what, after_s)
        played.found_s = min(played.said.values(), default=math.nan)
        await asyncio.sleep(_LOOK_EVERY_S)


def figures(played: Played) -> dict[str, Figure]:
    """What was measured of one peer besides its row. PURE."""
    before = played.history.where(lambda record: record.ended_at < played.fault_at)
    return {
        "calls": len(played.history),
        "success before the primary goes, %": share_of(before.count(passed), len(before)),
        "p99 while the primary is gone, ms": latency_ms(played.during, 0.99),
        "not succeeded for": reasons(played.history.where(lambda record: not passed(record))),
        "said of the dead standby": played.story,
    }
