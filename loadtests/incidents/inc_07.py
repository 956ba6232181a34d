"""INC-07: the backup that did not take over.

Two upstreams of one partner, payments at a fixed rate, all of them at the primary.
Then the standby dies, and no call is there to notice: it must be found all the same.
It comes back, and an operator forces the route to it: the word must count at once, and
be seen and dated. Then it is the primary that goes, and the first call that finds it
gone must already be paid at the standby. Once it refuses, once it falls silent.
Envoy and a plain client have the same deaths beside it (inc_07_peers.py).
"""

from __future__ import annotations

import asyncio
import sys
import time
from typing import Any

from loadtests.incidents import inc_07_peers
from loadtests.incidents.arms import TIDEGATE, Played, row
from loadtests.incidents.checker import check
from loadtests.incidents.configured import one_route
from loadtests.incidents.figures import driver_lag_ms
from loadtests.incidents.history import History
from loadtests.incidents.inc_07_bars import (
    PROVEN_WITHIN_S,
    Story,
    bars,
    figures,
    forced_s,
    found_s,
    met,
)
from loadtests.incidents.inc_07_peers import (
    AFTER_S,
    CONNECT_S,
    DEADLINE_S,
    GONE_S,
    RATE_PER_S,
    SCHEMES,
    WINDOW_S,
)
from loadtests.incidents.metrics import Admin, sample
from loadtests.incidents.process import ReplayError
from loadtests.incidents.result import ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Running, Sidecar, Stage
from proxy.sandbox.client import SandboxPartner

WARM_S = 2.0
STANDBY_DIES_S, STANDBY_BACK_S = 8.0, 72.0
FORCED_S, RELEASED_S = 80.0, 88.0
PRIMARY_GOES_S = 96.0
PRIMARY_BACK_S = PRIMARY_GOES_S + GONE_S
CHECKS_S = {"interval": 20.0, "timeout": 5.0, "proven_within": PROVEN_WITHIN_S}
"""The interval and the timeout are the defaults."""
PATH = "/psp/payments"
REASON = "the primary's status page"
_LOOK_EVERY_S = 0.05
_DATED_WITHIN_S = 2.0
_COMMAND_S = 20.0


async def play(run: Run) -> Measured:
    """Both ways of being gone, each on processes of its own."""
    measured = Measured()
    summaries = []
    for kind in ("refuse", "blackhole"):
        async with Stage(run.directory / kind, run.progress) as stage:
            summaries.append(await _play_kind(run, stage, kind, measured))
        for each in await inc_07_peers.peers(run, kind):
            measured.arms.append(row(kind, each, WINDOW_S))
            measured.figures[f"{kind}, {each.arm}"] = inc_07_peers.figures(each)
    measured.summary = "; ".join(summaries)
    return measured


def configuration(run: Run, primary_url: str, standby_url: str) -> dict[str, Any]:
    """One partner with two upstreams; every interval scaled, checks as they are by default."""
    upstream = {
        "timeouts": {"connect": run.duration(CONNECT_S), "first_byte": run.duration(3.0)},
        "checks": {name: run.duration(seconds) for name, seconds in CHECKS_S.items()},
    }
    upstreams = {
        "primary": {"url": primary_url, **upstream},
        "standby": {"url": standby_url, **upstream},
    }
    document = one_route(
        {"acquirer": {"upstreams": upstreams}}, [*upstreams], run.duration(DEADLINE_S)
    )
    return {**document, "log": {"calls": False}}


async def _play_kind(run: Run, stage: Stage, kind: str, measured: Measured) -> str:
    """One variant: its bars and figures go to `measured`; its part of the summary."""
    primary, standby = await inc_07_peers.staged(stage)
    sidecar = await stage.sidecar(configuration(run, primary.url, standby.url))
    driver = await stage.driver(sidecar.payments_url, give_up_s=3 * run.scaled(DEADLINE_S) + 5.0)
    warm = plan(Load(RATE_PER_S, WARM_S, 7, f"{kind}-warm", SCHEMES), kind)
    async with stage.load(driver, PATH, warm, f"{kind} warm-up") as warming:
        pass
    calls = plan(Load(RATE_PER_S, run.scaled(PRIMARY_BACK_S) + AFTER_S, 7, kind, SCHEMES), kind)
    async with stage.load(driver, PATH, calls, f"{kind} load") as running:
        story = await _timeline(run, running, sidecar, (primary, standby), kind)
    history = running.history
    findings = check(History([*warming.history.records, *history.records]), stage.executions())
    measured.bars += bars(run, kind, history, story) + ledger_bars(kind, findings)
    measured.driver_lag_ms = max(measured.driver_lag_ms, driver_lag_ms(history))
    measured.figures[kind] = figures(history, story)
    ours = Played(TIDEGATE, history, story.gone_at, story.back_at, found_s(story))
    ours.executions = [each for each in stage.executions() if "-warm-" not in each.reference]
    measured.arms.append(row(kind, ours, WINDOW_S))
    return (
        f"{kind}: dead standby found {found_s(story):.2f} s, forced in "
        f"{forced_s(history, story):.2f} s, {len(met(history, story))} calls moved, "
        f"dup {findings.dup}"
    )


async def _timeline(
    run: Run,
    running: Running,
    sidecar: Sidecar,
    partners: tuple[SandboxPartner, SandboxPartner],
    kind: str,
) -> Story:
    """The standby dies and is back; a word of the operator; the primary goes and is back."""
    primary, standby = partners
    story = Story()
    await running.at(run.scaled(STANDBY_DIES_S))
    story.dead_at = time.monotonic()
    await asyncio.to_thread(standby.set_faults, {"kind": kind})
    run.progress.say(f"{kind}: the standby is dead, and no call goes there")
    watch = asyncio.create_task(_watch(sidecar.admin, story))
    try:
        await running.at(run.scaled(STANDBY_BACK_S))
    finally:
        watch.cancel()
    await asyncio.to_thread(standby.clear)
    await running.at(run.scaled(FORCED_S))
    await _force(sidecar.admin, story)
    await running.at(run.scaled(RELEASED_S))
    await _release(sidecar.admin, story)
    await running.at(run.scaled(PRIMARY_GOES_S))
    story.sampled_at = time.monotonic()
    story.idle = (await sidecar.admin.connections("primary"))["idle"]
    story.gone_at = time.monotonic()
    await asyncio.to_thread(primary.set_faults, {"kind": kind})
    story.gone_by = time.monotonic()
    run.progress.say(f"{kind}: the primary is gone")
    await running.at(run.scaled(PRIMARY_BACK_S))
    await asyncio.to_thread(primary.clear)
    story.back_at = time.monotonic()
    return story


async def _watch(admin: Admin, story: Story) -> None:
    """Note when the sidecar first says what is wrong at the standby."""
    while True:
        for finding in await admin.findings():
            if finding.upstream == "standby":
                said = f"{finding.phase} {finding.reason}, origin {finding.origin}"
                story.found.setdefault(said, time.monotonic() - story.dead_at)
        await asyncio.sleep(_LOOK_EVERY_S)


async def _force(admin: Admin, story: Story) -> None:
    """By the admin listener, and look at what stands then."""
    story.forced_at = time.monotonic()
    said = {"upstream": "standby", "reason": REASON, "by": "replay", "for": "5m"}
    await admin.put("/routes/payments/force", said)
    [listed] = (await admin.routes())["overrides"]
    left_s = sample(await admin.metrics(), "tidegate_route_override", route="payments",
                    upstream="standby", kind="force")  # fmt: skip
    dated = abs(listed["since"] - time.time()) <= _DATED_WITHIN_S
    story.dated = dated and listed["reason"] == REASON and left_s > 0.0


async def _release(admin: Admin, story: Story) -> None:
    """By the command, as an operator types it."""
    story.release_at = time.monotonic()
    command = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "proxy", "route", "release", "payments", "--admin", admin.url,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await asyncio.wait_for(command.communicate(), _COMMAND_S)
    story.released_at = time.monotonic()
    story.command_s = story.released_at - story.release_at
    if command.returncode:
        raise ReplayError(f"tidegate route release: {said.decode(errors='replace')}")


INC_07 = Replay("INC-07", "The backup that did not take over", 0.15, play)
