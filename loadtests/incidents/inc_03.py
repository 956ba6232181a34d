"""INC-03, DNS that is slow, lies or is dead, while every call needs a new connection.

The longest outage in the reports. One name server is broken in eight ways, in
turn and all at once, under a load that never reuses a connection, so that each
call needs an address. What was known before must go on working. The same is
played on Envoy and on plain aiohttp, for comparison and without bars.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager

from loadtests.bench.host import BenchError
from loadtests.incidents.dns_arm import LONG, QUICK, Arm, Form, partners
from loadtests.incidents.dns_peers import PlainClient, envoy
from loadtests.incidents.dns_sidecar import play_sidecar
from loadtests.incidents.dns_story import Story, answered, figures
from loadtests.incidents.dns_zone import FAULTS, Zone, host
from loadtests.incidents.inc_03_search import play_search
from loadtests.incidents.result import Figure
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.stage import Drives, Stage
from tests.support.dns_server import DnsServer

PEER_RATE_PER_S = 60.0
"""The peers are played beside each other, on one machine: a third of the sidecar's load each."""
GIVE_UP_S = 15.0
PEERS = ("envoy strict_dns", "envoy logical_dns", "aiohttp")


async def play(run: Run) -> Measured:
    """The sidecar by itself, then the peers beside each other, then the search domains."""
    measured = Measured()
    form = QUICK if run.quick else LONG
    async with Stage(run.directory / "tidegate", run.progress) as stage:
        await play_sidecar(stage, form, measured)
    async with Stage(run.directory / "peers", run.progress) as stage:
        measured.figures |= await play_peers(stage, form)
    await play_search(run, measured)
    return measured


async def play_peers(stage: Stage, form: Form) -> dict[str, dict[str, Figure]]:
    """Each peer with a name server of its own, all on the same timeline."""
    old, _ = await partners(stage)
    told: dict[str, dict[str, Figure]] = {}
    stories: dict[str, Story] = {}

    async def one(name: str) -> None:
        try:
            async with peer(stage, name, old.port) as arm:
                stories[name] = await arm.play(form, _never)
        except BenchError as error:
            told[name] = {"absent": str(error)}

    await asyncio.gather(*(one(name) for name in PEERS))
    executions = stage.executions()
    for name, story in stories.items():
        told[name] = figures(story, executions, "new", answered)
    return {name: told[name] for name in PEERS}


@asynccontextmanager
async def peer(stage: Stage, name: str, partner_port: int) -> AsyncIterator[Arm]:
    """One peer, ready, with a name server of its own."""
    word = name.replace(" ", "-")
    with ExitStack() as exits:
        server = exits.enter_context(DnsServer(seed=3))
        zone = Zone(server)
        driver: Drives
        if name == "aiohttp":
            client = PlainClient(
                server.nameserver,
                lambda call: f"http://{host(call.scheme)}:{partner_port}/payments",
            )
            driver = client
        else:
            kind = name.removeprefix("envoy ")
            url = await envoy(stage, kind, server.port, partner_port, FAULTS)
            driver = await stage.driver(url, GIVE_UP_S)
        try:
            yield Arm(word, stage, zone, driver, PEER_RATE_PER_S)
        finally:
            if isinstance(driver, PlainClient):
                await driver.close()


async def _never() -> float:
    """A peer does not say that its names are fresh again."""
    return math.nan


INC_03 = Replay("INC-03", "DNS slow, lying or dead must not take payments down", 1.0, play)
