"""INC-08 for Envoy and a plain client: the same region goes, on partners of their own."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from loadtests.incidents.arms import ArmRow, Played, row
from loadtests.incidents.envoy import EnvoyPlan, EnvoyRoute
from loadtests.incidents.peers import Arm, Story, envoy_arm, plain_arm, play_story
from loadtests.incidents.run import Run
from loadtests.incidents.schedule import PlannedCall
from loadtests.incidents.stage import Stage
from proxy.sandbox.client import SandboxPartner

WINDOW_S = 1.0
CONNECT_S = 1.0
DEADLINE_S = 5.0
_PREFIX, _TARGET = "/psp/", "payments"


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

    deadline_s, connect_s = run.scaled(DEADLINE_S), run.scaled(CONNECT_S)

    async def with_envoy(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
        plan = EnvoyPlan(
            [partner.port for partner in partners],
            [EnvoyRoute(_PREFIX, deadline_s)],
            connect_s=connect_s,
            factor=run.factor,
            connections_max=256,
            connections_max_low=256,
        )
        return await envoy_arm(stage, plan, _PREFIX + _TARGET, 3 * deadline_s)

    async def with_nothing(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
        urls = [partner.url for partner in partners]
        return await plain_arm(stage, urls, f"/{_TARGET}", deadline_s, connect_s)

    story = Story(kind, lambda _: calls, *fault_s, strike)
    played = await play_story(run, story, _staged, (with_envoy, with_nothing))
    return [row(kind, each, WINDOW_S) for each in (ours, *played)]


async def _staged(stage: Stage) -> list[SandboxPartner]:
    names = {"primary": 8, "standby": 9}
    started = [stage.partner(name, "acquirer", seed=seed) for name, seed in names.items()]
    return list(await asyncio.gather(*started))
