"""The sidecar's arm of INC-03: the timeline of all arms, and what only it promises."""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.incidents.checker import check
from loadtests.incidents.dns_arm import QUICK, Arm, Form, everywhere, partners
from loadtests.incidents.dns_promises import (
    RATE_PER_S,
    RECOVERY_S,
    Extras,
    Refusal,
    bars,
    carried,
    moved_bar,
    refusal,
    summary,
)
from loadtests.incidents.dns_story import Story, figures, seen_after_s
from loadtests.incidents.dns_zone import FAULTS, TRAP, TTL_S, Zone, host
from loadtests.incidents.figures import driver_lag_ms, latency_ms, reasons, succeeded
from loadtests.incidents.history import merged
from loadtests.incidents.metrics import Admin
from loadtests.incidents.mortal import free_port
from loadtests.incidents.result import ledger_bars
from loadtests.incidents.run import Measured
from loadtests.incidents.stage import Stage
from tests.support.dns_server import DnsServer

HIGH_RATES_PER_S = (1000.0, 700.0, 500.0, 350.0, 200.0)
TRIAL_S = 2.0
HIGH_S = 4.0 * TTL_S
COLD_RATE_PER_S = 50.0
COLD_S = 3.0
GIVE_UP_S = 15.0
FORBIDDEN = ("trap", "rebind")
"""Upstreams that may not be at a private address, unlike the partner, which here must be."""
ASKED = 5
"""Calls to each name that must fail."""


def configuration(
    port: int, admin_port: int, nameserver: str | None, urls: dict[str, str], snapshot: Path
) -> dict[str, Any]:
    """One upstream and one route for each name; `trap` is the only one without private addresses.

    Without `nameserver` the system's are asked.
    """
    dns = {
        "timeout_query": "1s",
        "ttl_min": f"{TTL_S}s",
        "ttl_max": "300s",
        "stale_max": "24h",
        "negative_max": "30s",
        "snapshot": str(snapshot),
    }
    upstreams = {
        label: {
            "url": url,
            "allow_cleartext": True,
            "allow_private": label not in FORBIDDEN,
            "pool": {"reuse": False},
        }
        for label, url in urls.items()
    }
    return {
        "version": 1,
        "listen": {"address": f"127.0.0.1:{port}", "timeout_drain": "1s"},
        "admin": {"address": f"127.0.0.1:{admin_port}"},
        "log": {"calls": False},
        "dns": dns if nameserver is None else {"nameservers": [nameserver], **dns},
        "partners": {"acquirer": {"upstreams": upstreams}},
        "routes": [
            {
                "name": label,
                "match": {"path": f"/{label}/"},
                "strip_prefix": True,
                "operation": "authorize",
                "candidates": [label],
                "deadline": "5s",
            }
            for label in urls
        ],
    }


async def play_sidecar(stage: Stage, form: Form, measured: Measured) -> None:
    """The arm; bars and figures go to `measured`."""
    extras = Extras()
    with ExitStack() as exits:
        server = exits.enter_context(DnsServer(seed=3))
        old, _ = await partners(stage)
        async with trap(extras) as trap_port:
            story = await _play(stage, form, Zone(server), old.port, trap_port, extras)
    executions = stage.executions()
    everything = merged(
        [
            story.warming,
            story.history,
            story.moving,
            extras.high,
            extras.cold,
            *extras.trials,
        ]
    )
    findings = check(everything, executions)
    measured.bars += bars(story, extras, quick=form is QUICK)
    measured.bars.append(moved_bar(seen_after_s(story, executions, "new")))
    measured.bars += ledger_bars("tidegate", findings)
    measured.figures["tidegate"] = {
        **figures(story, executions, "new", succeeded),
        "rate carried, calls/s": extras.high_rate_per_s,
        "its p99, ms": latency_ms(extras.high, 0.99),
        "cold start, ms of the first call": 1000 * extras.cold.records[0].latency_s,
        "cold start, s until it listens": extras.cold_listening_s,
        "not succeeded for": reasons(everything),
        "verdicts": ", ".join(sorted(extras.verdicts)) or "-",
    }
    measured.driver_lag_ms = max(measured.driver_lag_ms, driver_lag_ms(story.history))
    measured.summary = summary(measured.bars)


async def _play(
    stage: Stage, form: Form, zone: Zone, port: int, trap_port: int, extras: Extras
) -> Story:
    rng = random.Random(f"inc-03/{zone.server.port}")
    admin_port = free_port(rng)
    urls = {label: f"http://{host(label)}:{port}" for label in (*FAULTS, "unknown", "unheard")}
    urls["trap"] = f"http://{host('trap')}:{trap_port}"
    nameserver, snapshot = zone.server.nameserver, stage.directory / "dns.snapshot"
    sidecar = stage.mortal(configuration(free_port(rng), admin_port, nameserver, urls, snapshot))
    sidecar.launch()
    await sidecar.ready()
    driver = await stage.driver(sidecar.url, GIVE_UP_S)
    arm = Arm("tidegate", stage, zone, driver, RATE_PER_S)
    extras.unknown += await ask(sidecar.url, "unknown")
    extras.forbidden += await ask(sidecar.url, "trap")
    admin = Admin(f"http://127.0.0.1:{admin_port}")
    watch = asyncio.create_task(_watch(admin, extras.verdicts))
    try:
        story = await arm.play(form, lambda: _fresh(admin))
        await _high(arm, extras)
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await admin.close()
    zone.break_down(everywhere("silent"))
    sidecar.kill()
    sidecar.launch()
    extras.cold_listening_s = await sidecar.listening()
    extras.cold = await arm.load("cold", COLD_S, COLD_RATE_PER_S)
    extras.unheard += await ask(sidecar.url, "unheard")
    return story


async def _high(arm: Arm, extras: Extras) -> None:
    """A high rate of calls, as high as this machine carries; the questions while it lasts.

    A rate that it does not carry says nothing of DNS, so the next lower one is tried.
    """
    for rate_per_s in HIGH_RATES_PER_S:
        trial = await arm.load(f"trial-{rate_per_s:g}", TRIAL_S, rate_per_s)
        extras.trials.append(trial)
        if not carried(trial) and rate_per_s != HIGH_RATES_PER_S[-1]:
            continue
        arm.zone.server.forget()
        high = await arm.load(f"high-{rate_per_s:g}", HIGH_S, rate_per_s)
        if carried(high) or rate_per_s == HIGH_RATES_PER_S[-1]:
            break
        extras.trials.append(high)
    extras.high, extras.high_rate_per_s = high, rate_per_s
    extras.high_at = (high.records[0].scheduled_at, high.records[-1].scheduled_at)
    extras.high_queries = arm.zone.server.queries()


async def _fresh(admin: Admin) -> float:
    """Seconds until the sidecar calls every known name fresh; NaN if it takes too long."""
    began_at = time.monotonic()
    wanted = {host(label) for label in FAULTS}
    while (seconds := time.monotonic() - began_at) <= RECOVERY_S + 1:
        names = await admin.names()
        if wanted <= {row["name"].rstrip(".") for row in names if row["state"] == "fresh"}:
            return seconds
        await asyncio.sleep(0.1)
    return math.nan


async def _watch(admin: Admin, verdicts: dict[str, float]) -> None:
    """Note when the sidecar first says of a broken name that DNS is what is wrong."""
    while True:
        for finding in await admin.findings():
            if finding.origin == "dns" and finding.upstream in FAULTS:
                said = f"{finding.upstream} {finding.reason}"
                verdicts.setdefault(said, time.monotonic())
        await asyncio.sleep(0.25)


async def ask(url: str, label: str) -> list[Refusal]:
    """A few calls to a name that must fail, one after the other."""
    refusals = []
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=GIVE_UP_S)) as session:
        for _ in range(ASKED):
            began_at = time.monotonic()
            async with session.post(f"{url}/{label}/payments", json={"amount": 100}) as answer:
                body = await answer.read()
            seconds = time.monotonic() - began_at
            refusals.append(refusal(seconds, answer.status, body))
    return refusals


@asynccontextmanager
async def trap(extras: Extras, port: int = 0) -> AsyncIterator[int]:
    """Listen where nobody may connect to, and count who does; the port."""

    async def caught(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        extras.trapped += 1
        writer.close()

    server = await asyncio.start_server(caught, TRAP, port)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        await server.wait_closed()
