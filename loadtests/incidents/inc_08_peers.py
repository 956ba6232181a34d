"""INC-08 for Envoy and a plain client: the same region goes, on partners of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from loadtests.incidents.arms import ArmRow, Played, row
from loadtests.incidents.peers import Story, play_story
from loadtests.incidents.run import Run
from loadtests.incidents.schedule import PlannedCall
from loadtests.incidents.stage import Stage
from loadtests.incidents.usual import Usual
from proxy.sandbox.client import SandboxPartner

WINDOW_S = 1.0
CONNECT_S = 1.0
DEADLINE_S = 5.0


async def peers(
    run: Run,
    kind: str,
    calls: Sequence[PlannedCall],
    fault_s: tuple[float, float],
    ours: Played,
) -> list[ArmRow]:
    """The rows of one way of being gone: the sidecar's, which has been played, and the peers'."""

    def strike(partners: Sequence[SandboxPartner]) -> None:
        partners[0].set_faults({"kind": kind})

    usual = Usual(
        *("/psp/", "payments", run.scaled(DEADLINE_S), lambda _: {}),
        connect_s=run.scaled(CONNECT_S),
        factor=run.factor,
        connections_max=256,
    )
    story = Story(kind, lambda _: calls, *fault_s, strike)
    played = await play_story(run, story, _staged, usual.peers)
    return [row(kind, each, WINDOW_S) for each in (ours, *played)]


async def _staged(stage: Stage) -> list[SandboxPartner]:
    names = {"primary": 8, "standby": 9}
    started = [stage.partner(name, "acquirer", seed=seed) for name, seed in names.items()]
    return list(await asyncio.gather(*started))
