"""Plays one story to an arm: the same partners, faults and calls for each of the three.

Each arm has processes of its own, on partners with the same seeds, so all meet
the same latencies and faults. A replay says what its story is, how each arm is
set up, and holds its bars against the sidecar's; the peers have figures alone.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from loadtests.incidents.arms import ENVOY, PLAIN, TIDEGATE, Played
from loadtests.incidents.driver import Target
from loadtests.incidents.envoy import EnvoyPlan, envoy
from loadtests.incidents.metrics import Admin
from loadtests.incidents.plain import PlainCaller, plain_session
from loadtests.incidents.run import Run
from loadtests.incidents.schedule import PlannedCall
from loadtests.incidents.stage import Drives, Running, Stage
from proxy.sandbox.client import SandboxPartner

Sees = Callable[[], Awaitable[set[str]]]
"""What an arm itself says is wrong at this moment; nothing where all is well."""

_LOOK_INTERVAL_S = 0.05
_COUNT_INTERVAL_S = 0.05


@dataclass(frozen=True, slots=True)
class Story:
    """A load, and a fault from `fault_s` to `clear_s` of it."""

    name: str
    calls: Callable[[str], Sequence[PlannedCall]]
    """The schedule of an arm."""
    fault_s: float
    clear_s: float
    strike: Callable[[Sequence[SandboxPartner]], None]
    """Makes the fault; clearing every partner's faults ends it."""


@dataclass(frozen=True, slots=True)
class Arm:
    """An application ready to make calls, and what it sees of its partners."""

    name: str
    drives: Drives
    path: Target
    sees: Sees


async def sidecar_arm(
    stage: Stage,
    config: Mapping[str, Any],
    path: Target,
    sees: Callable[[Admin], Awaitable[set[str]]],
    give_up_s: float,
) -> Arm:
    """An application with the sidecar."""
    sidecar = await stage.sidecar(config)
    driver = await stage.driver(sidecar.payments_url, give_up_s)
    return Arm(TIDEGATE, driver, path, lambda: sees(sidecar.admin))


async def envoy_arm(
    stage: Stage, plan: EnvoyPlan, path: Target, give_up_s: float, name: str = ENVOY
) -> Arm:
    """The same application with Envoy, on the same paths."""
    url, admin = await envoy(stage, plan)
    return Arm(name, await stage.driver(url, give_up_s), path, admin.sees)


async def plain_arm(
    stage: Stage, urls: Sequence[str], path: Target, give_up_s: float, connect_s: float = 1.0
) -> Arm:
    """The application by itself: two timeouts, and one more try where none could be connected.

    That try goes to the next of its addresses, where it has one.
    """
    session = await stage.enter(plain_session(give_up_s, connect_s))
    caller = PlainCaller(session, urls[0], again_at=urls[-1] if len(urls) < 2 else urls[1])
    return Arm(PLAIN, caller, path, _sees_nothing)


MakesArm = Callable[[Run, Stage, Sequence[SandboxPartner]], Awaitable[Arm]]
"""Sets an arm up on its partners."""


async def play_story(
    run: Run,
    story: Story,
    partners: Callable[[Stage], Awaitable[Sequence[SandboxPartner]]],
    arms: Sequence[MakesArm],
    *,
    together: bool = True,
) -> list[Played]:
    """The story for each arm, all beside each other where the load is small."""

    async def one(number: int, make: MakesArm) -> Played:
        name = f"{story.name}-{number}".replace(" ", "-")
        async with Stage(run.directory / name, run.progress) as stage:
            staged = await partners(stage)
            return await _play(stage, story, await make(run, stage, staged), staged)

    if together:
        return list(await asyncio.gather(*(one(*each) for each in enumerate(arms))))
    return [await one(number, make) for number, make in enumerate(arms)]


async def _play(stage: Stage, story: Story, arm: Arm, partners: Sequence[SandboxPartner]) -> Played:
    """The whole story, until the last call has ended."""
    calls = story.calls(arm.name)
    label = f"{story.name} {arm.name}"
    async with stage.load(arm.drives, arm.path, calls, label) as running:
        played = Played(arm.name, running.history, 0.0)
        counting = asyncio.create_task(_count(partners, played))
        try:
            await _timeline(story, arm, running, partners, played)
            await running.at(calls[-1].offset_s)
        finally:
            counting.cancel()
            await asyncio.gather(counting, return_exceptions=True)
    played.executions = stage.executions()
    return played


async def _timeline(
    story: Story, arm: Arm, running: Running, partners: Sequence[SandboxPartner], played: Played
) -> None:
    await running.at(story.fault_s)
    played.fault_at = time.monotonic()
    await asyncio.to_thread(story.strike, partners)
    watch = asyncio.create_task(_watch(arm, played))
    try:
        await running.at(story.clear_s)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
    for partner in partners:
        await asyncio.to_thread(partner.clear)
    played.cleared_at = time.monotonic()


async def _watch(arm: Arm, played: Played) -> None:
    """Note when the arm first says that something is wrong, and all that it says."""
    while True:
        said = await arm.sees()
        after_s = time.monotonic() - played.fault_at
        for what in said:
            played.said.setdefault(what, after_s)
        if said and math.isnan(played.found_s):
            played.found_s = after_s
        await asyncio.sleep(_LOOK_INTERVAL_S)


async def _count(partners: Sequence[SandboxPartner], played: Played) -> None:
    """Note how many requests have come to the partners, again and again."""
    while True:
        stats = [await asyncio.to_thread(partner.stats) for partner in partners]
        played.requests.append((time.monotonic(), sum(each["requests"] for each in stats)))
        await asyncio.sleep(_COUNT_INTERVAL_S)


async def _sees_nothing() -> set[str]:
    return set()


async def breakers_say(admin: Admin) -> set[str]:
    """What the sidecar says of its partners: breakers that are not closed, and findings."""
    said = {
        f"{row['upstream']} {row['compartment']}: {row['state']}"
        for row in (await admin.load())["breakers"]
        if row["state"] != "closed"
    }
    found = await admin.findings()
    return said | {f"{each.upstream} {each.phase}: {each.reason}" for each in found}
