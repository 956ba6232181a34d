"""The arms of INC-06: two loads at once, payments and calls to a tracker that becomes slow."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from loadtests.incidents.arms import ArmRow, passed
from loadtests.incidents.checker import Execution, by_nonce, check
from loadtests.incidents.envoy import EnvoyPlan, EnvoyRoute, envoy
from loadtests.incidents.history import History, merged
from loadtests.incidents.plain import PlainCaller, plain_session
from loadtests.incidents.run import Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Drives, Stage
from loadtests.incidents.stats import share_of
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 50.0
"""Of payments, and of calls to the third party as well."""
SCHEMES = {"visa": 0.5, "mastercard": 0.4, "amex": 0.1}
SAMPLES = 4000
"""Payments in each arm of the long form, as the rule for latency bars asks."""
QUICK_ARM_S = 3.0
TRACKER_P50_MS = 5.0
SLOW_MS = 5000.0
BUDGET_MS = 50.0
PLAIN_GIVE_UP_S = 10.0
GIVE_UP_S = 30.0
PAY, TRACK = "/psp/payments", "/track/3ds/version"
HEALTHY, SLOW = "healthy", "tracker slow"


@dataclass(slots=True)
class Arms:
    """The histories of one application: payments and calls to the tracker, by arm and round."""

    stage: Stage
    payer: Drives
    tracker: Drives
    pay: str
    track: str
    payments: dict[str, list[History]] = field(default_factory=dict)
    tracks: dict[str, list[History]] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)

    async def drive(self, arm: str, name: str, seconds: float) -> None:
        """One round of one arm, both loads at once, until the last call has ended."""
        tag = arm.replace(" ", "-")
        pay = plan(Load(RATE_PER_S, seconds, 6, name, SCHEMES), tag)
        track = plan(Load(RATE_PER_S, seconds, 7, f"{name}-track", SCHEMES), tag)
        async with (
            self.stage.load(self.tracker, self.track, track, f"{arm} {name} track") as tracking,
            self.stage.load(self.payer, self.pay, pay, f"{arm} {name}") as paying,
        ):
            pass
        self.payments.setdefault(arm, []).append(paying.history)
        self.tracks.setdefault(arm, []).append(tracking.history)

    async def both(self, partner: SandboxPartner, name: str, seconds: float) -> None:
        """A healthy arm, and one with a slow tracker."""
        await self.drive(HEALTHY, name, seconds)
        await asyncio.to_thread(partner.set_faults, {"kind": "slow", "delay_ms": SLOW_MS})
        await self.drive(SLOW, name, seconds)
        await asyncio.to_thread(partner.clear)
        self.executions = self.stage.executions()


async def play_plain(run: Run) -> Arms:
    """The application by itself, with one session for all its partners."""
    async with Stage(run.directory / "plain", run.progress) as stage:
        acquirer, tracker = await partners(stage)
        async with plain_session(PLAIN_GIVE_UP_S) as session:
            callers = (PlainCaller(session, acquirer.url), PlainCaller(session, tracker.url))
            arms = Arms(stage, *callers, PAY.removeprefix("/psp"), TRACK.removeprefix("/track"))
            await arms.both(tracker, "plain", arm_s(run))
            return arms


async def play_envoy(run: Run) -> Arms:
    """The application with Envoy: the tracker's route has the budget as its timeout."""
    async with Stage(run.directory / "envoy", run.progress) as stage:
        acquirer, tracker = await partners(stage)
        routes = [
            EnvoyRoute("/psp/", GIVE_UP_S, high=True),
            EnvoyRoute("/track/", BUDGET_MS / 1000, cluster="tracker"),
        ]
        others = {"tracker": [tracker.port]}
        url, _ = await envoy(stage, EnvoyPlan([acquirer.port], routes, others=others))
        drivers = [await stage.driver(url, give_up_s=GIVE_UP_S) for _ in range(2)]
        arms = Arms(stage, drivers[0], drivers[1], PAY, TRACK)
        await arms.both(tracker, "envoy", arm_s(run))
        return arms


async def partners(stage: Stage) -> tuple[SandboxPartner, SandboxPartner]:
    """Who takes payments, and the tracker."""
    acquirer = await stage.partner("acquirer", "acquirer", seed=6)
    tracker = await stage.partner("tracker", "threeds", seed=7, latency_p50_ms=TRACKER_P50_MS)
    return acquirer, tracker


def arm_s(run: Run) -> float:
    """How long an arm lasts; the quick form has fewer samples and says how many."""
    return QUICK_ARM_S if run.quick else SAMPLES / RATE_PER_S


def row(name: str, arms: Arms) -> ArmRow:
    """The payments of one application while the tracker is slow, as a line of the table.

    Nothing is wrong with payments, so there is nothing to find there, nor to recover from.
    """
    slow = merged(arms.payments[SLOW])
    seconds = sum(_length_s(history) for history in arms.payments[SLOW])
    done = slow.count(passed)
    every = merged(_all(arms.payments.values()))
    return ArmRow(
        SLOW,
        name,
        done / seconds,
        share_of(done, len(slow)),
        check(every, arms.executions, by_nonce).dup,
        math.nan,
        math.nan,
    )


def _length_s(history: History) -> float:
    return len(history) / RATE_PER_S


def _all(runs: Iterable[list[History]]) -> list[History]:
    return [history for histories in runs for history in histories]
