"""INC-18: silence. A busy route on which nothing comes in any more, and nobody would know.

What is usual was learned in earlier weeks: the sidecar finds it in the file that it keeps
beside its journal, made here by the same code on virtual time. Then real calls come, stop, and
come again. Thirty days on virtual time say how often it would have cried wolf.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import aiohttp

from loadtests.incidents.checker import check
from loadtests.incidents.figures import driver_lag_ms
from loadtests.incidents.mortal import free_port
from loadtests.incidents.result import Bar, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from proxy.health.silence import Silence
from proxy.model.checked_file import write
from tests.support.silent_days import DAY_S, HOUR_S, START_S, calls, watch

RATE_PER_S = 5.0
BUSY_S = 8.0
AGAIN_S = 6.0
CLOSE_AFTER_S = 2.0
WEEKS = 3
SIMULATED = ((1, 0.02), (2, 0.2), (3, 2.0))
"""Seed and calls per second at the day's peak."""
SIMULATED_QUICK = SIMULATED[:2]
_EDGE_S = 60.0
_ASK_EVERY_S = 0.05


async def play(run: Run) -> Measured:
    """Learn, be busy, fall silent, be busy again; then the simulated days."""
    measured = Measured()
    usual_s = await asyncio.to_thread(_learned, run.directory / "incidents.json")
    await _away_from_the_edge()
    async with Stage(run.directory / "silence", run.progress) as stage:
        partner = await stage.partner("acquirer", "acquirer", seed=18)
        config = _configuration(partner.url, run.directory / "incidents.json")
        sidecar = stage.mortal(config)
        sidecar.launch()
        await sidecar.ready()
        watched = _Watched(f"http://{config['admin']['address']}")
        driver = await stage.driver(sidecar.url, give_up_s=10.0)
        histories = []
        for label, seconds in (("busy", BUSY_S), ("again", AGAIN_S)):
            load = plan(Load(RATE_PER_S, seconds, 18, label, {"visa": 1.0}), label)
            async with stage.load(driver, "/psp/payments", load, label) as running:
                await watched.watch(seconds)
            histories.append(running.history)
            if label == "busy":
                await watched.until_found(4 * usual_s)
        findings = check(histories[0], stage.executions()[: len(histories[0])])
    found_s = watched.found_at - max(record.ended_at for record in histories[0].records)
    measured.driver_lag_ms = max(driver_lag_ms(history) for history in histories)
    measured.bars = [
        Bar("replay", "silence found after the last call", found_s, "<=", 3 * usual_s, "s",
            f"the usual longest pause is {usual_s:.2f} s"),
        Bar("replay", "alarms while calls came in", watched.early, "=", 0),
        Bar("replay", "it ended when calls came again", float(watched.ended), "=", 1),
        *ledger_bars("replay", findings),
    ]  # fmt: skip
    days = SIMULATED_QUICK if run.quick else SIMULATED
    for seed, peak_per_s in days:
        alarms = await asyncio.to_thread(_false_alarms, seed, peak_per_s)
        measured.bars.append(
            Bar(
                "30 simulated days",
                f"false alarms at up to {peak_per_s:g} calls/s",
                alarms,
                "<=",
                1,
            )
        )
    measured.figures["replay"] = {"said": watched.sentence}
    measured.summary = f"found after {found_s:.1f} s, usual pause {usual_s:.2f} s"
    return measured


def _false_alarms(seed: int, peak_per_s: float) -> int:
    return len(watch(Silence(HOUR_S, 30), calls(seed, 30.0, peak_per_s), 5.0))


def _learned(path: Path) -> float:
    """Three weeks of the replay's rate, kept as a sidecar keeps it; this hour's usual pause."""
    silence = Silence(HOUR_S, 30)
    for at in _steady():
        silence.call(at)
    write(path, "incidents", {"incidents": [], "usual": {"payments": silence.learned()}})
    usual = silence.expected(int(time.time() // HOUR_S))
    return math.nan if usual is None else usual.pause_s


def _steady() -> Iterator[float]:
    rng, at = random.Random(18), START_S
    while at < START_S + WEEKS * 7 * DAY_S + HOUR_S:
        yield at
        at += rng.expovariate(RATE_PER_S)


async def _away_from_the_edge() -> None:
    """A pause counts from the beginning of its hour, so none is measured over one."""
    left_s = HOUR_S - time.time() % HOUR_S
    if left_s < _EDGE_S:
        await asyncio.sleep(left_s + 1.0)


def _configuration(url: str, incidents: Path) -> dict[str, Any]:
    rng = random.Random("inc-18")
    return {
        "version": 1,
        "listen": {"address": f"127.0.0.1:{free_port(rng)}", "timeout_drain": "1s"},
        "admin": {"address": f"127.0.0.1:{free_port(rng)}"},
        "log": {"calls": False},
        "incidents": {"file": str(incidents), "close_after": f"{CLOSE_AFTER_S:g}s"},
        "partners": {"acquirer": {"upstreams": {"only": {"url": url}}}},
        "routes": [
            {
                "name": "payments",
                "match": {"path": "/psp/"},
                "strip_prefix": True,
                "operation": "authorize",
                "candidates": ["only"],
                "deadline": "5s",
            }
        ],
    }


class _Watched:
    """What the sidecar says of silence, and when."""

    def __init__(self, admin: str) -> None:
        self._admin = admin
        self.early = 0
        self.found_at = math.nan
        self.sentence = ""
        self.ended = False

    async def watch(self, seconds: float) -> None:
        """While calls come in."""
        ends_at = time.monotonic() + seconds
        while time.monotonic() < ends_at:
            standing = await self._standing()
            if math.isnan(self.found_at):
                self.early += standing
            else:
                self.ended = not standing
            await asyncio.sleep(_ASK_EVERY_S)

    async def until_found(self, within_s: float) -> None:
        """While none do."""
        ends_at = time.monotonic() + within_s
        while time.monotonic() < ends_at and math.isnan(self.found_at):
            if await self._standing():
                self.found_at = time.monotonic()
            await asyncio.sleep(_ASK_EVERY_S)

    async def _standing(self) -> bool:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5.0)) as session,
            session.get(f"{self._admin}/verdicts") as answer,
        ):
            document = await answer.json()
        found = [each for each in document["verdicts"] if each["reason"] == "silence"]
        if found:
            self.sentence = found[0]["sentence"]
        return bool(found)


INC_18 = Replay("INC-18", "Silence on a busy route", 1.0, play)
