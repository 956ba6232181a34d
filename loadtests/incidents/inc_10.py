"""INC-10: one scheme fails at a partner, and the others do not.

Two acquirers; the first one answers 500 to every Visa payment and is well otherwise.
Visa is to be named within 20 s and to move to the second acquirer; Mastercard and
Amex are to notice nothing at all: every one of their payments succeeds, and at the
first acquirer. In the second part Visa's payments are not answered at all.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from loadtests.incidents.arms import Played, passed, row
from loadtests.incidents.checker import check
from loadtests.incidents.configured import one_route
from loadtests.incidents.envoy import EnvoyPlan, EnvoyRoute
from loadtests.incidents.figures import driver_lag_ms, latency_ms, reasons
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.metrics import Admin
from loadtests.incidents.peers import Arm, Story, envoy_arm, plain_arm, play_story, sidecar_arm
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 10.0
SCHEMES = {"visa": 0.4, "mastercard": 0.5, "amex": 0.1}
HEALTHY_S, FAULT_S, AFTER_S = 60.0, 90.0, 30.0
QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S = 15.0, 30.0, 8.0
DEADLINE_S = 3.0
WINDOW_S = 4.0
FOUND_S_MAX = 20.0
MOVED_MIN = 80.0
PREFIX, TARGET = "/psp/", "payments"
FIRST, SECOND = "first", "second"
FAILING = "scheme=visa"
FAULTS: Mapping[str, dict[str, Any]] = {
    "visa answered 500": {"kind": "status", "status": 500, "match": {"scheme": "visa"}},
    "visa hanging": {"kind": "hang", "execute": "never", "match": {"scheme": "visa"}},
}


async def play(run: Run) -> Measured:
    """Both parts, each with all arms beside each other."""
    measured = Measured()
    summaries = []
    for part, fault in FAULTS.items():
        played = await play_story(run, story(run, part, fault), _staged, _ARMS)
        ours = played[0]
        measured.arms += [row(part, each, WINDOW_S) for each in played]
        measured.bars += bars(part, ours)
        measured.bars += ledger_bars(part, check(ours.history, ours.executions))
        measured.figures |= {f"{part}, {each.arm}": _figures(each) for each in played}
        measured.driver_lag_ms = max(measured.driver_lag_ms, driver_lag_ms(ours.history))
        summaries.append(f"{part}: named after {ours.found_s:.2f} s")
    measured.summary = "; ".join(summaries)
    return measured


def story(run: Run, part: str, fault: dict[str, Any]) -> Story:
    """Healthy, then the scheme fails, then well again."""
    healthy_s, fault_s, after_s = (
        (QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S)
        if run.quick
        else (HEALTHY_S, FAULT_S, AFTER_S)
    )
    load = Load(RATE_PER_S, healthy_s + fault_s + after_s, 10, part.replace(" ", "-"), SCHEMES)

    def strike(partners: Sequence[SandboxPartner]) -> None:
        partners[0].set_faults(fault)

    return Story(part, lambda arm: plan(load, arm), healthy_s, healthy_s + fault_s, strike)


async def _staged(stage: Stage) -> list[SandboxPartner]:
    names = {FIRST: 10, SECOND: 11}
    started = [stage.partner(name, "acquirer", seed=seed) for name, seed in names.items()]
    return list(await asyncio.gather(*started))


async def slices_say(admin: Admin) -> set[str]:
    """The slices whose breakers are not closed, each by its name."""
    return {
        f"{row['slice']}: {row['state']}"
        for row in (await admin.load())["breakers"]
        if row["state"] != "closed"
    }


async def _sidecar(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    config = configuration([partner.url for partner in partners])
    return await sidecar_arm(stage, config, PREFIX + TARGET, slices_say, 3 * DEADLINE_S)


async def _envoy(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    given = EnvoyPlan([each.port for each in partners], [EnvoyRoute(PREFIX, DEADLINE_S)])
    return await envoy_arm(stage, given, PREFIX + TARGET, 3 * DEADLINE_S)


async def _plain(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    return await plain_arm(stage, [each.url for each in partners], f"/{TARGET}", DEADLINE_S)


_ARMS = (_sidecar, _envoy, _plain)


def configuration(urls: Sequence[str]) -> dict[str, Any]:
    """Two acquirers, and payments that are told apart by their scheme."""
    acquirers = dict(zip((FIRST, SECOND), urls, strict=True))
    return one_route(
        {name: {"upstreams": {name: {"url": url}}} for name, url in acquirers.items()},
        [FIRST, SECOND],
        f"{DEADLINE_S:g}s",
        dimensions=[{"name": "scheme", "pointer": "/card/scheme"}],
    )


def bars(part: str, ours: Played) -> list[Bar]:
    """What the incident promises, beside the bars of the ledgers."""
    others = ours.history.where(lambda record: record.scheme != "visa")
    moved = others.where(lambda record: record.upstream != FIRST)
    wrong = [said for said in ours.said if FAILING not in said]
    found_s = min((s for said, s in ours.said.items() if FAILING in said), default=math.nan)
    visa = ours.during.where(partial(_visa_since, ours.fault_at + found_s))
    return [
        Bar(part, "failing scheme named", found_s, "<=", FOUND_S_MAX, "s", ours.story),
        Bar(part, "verdicts on anything else", len(wrong), "=", 0),
        Bar(part, "others' success", _success(others), "=", 100.0, "%", f"{len(others)} calls"),
        Bar(part, "others rerouted", len(moved), "=", 0, note=f"{len(others)} calls"),
        Bar(part, "visa's success once named", _success(visa), ">=", MOVED_MIN, "%",
            f"{len(visa)} calls, with {SECOND}"),
    ]  # fmt: skip


def _visa_since(at: float, record: CallRecord) -> bool:
    return record.scheme == "visa" and record.scheduled_at >= at


def _success(history: History) -> float:
    return share_of(history.count(passed), len(history))


def _figures(played: Played) -> dict[str, Figure]:
    during = played.during
    others = during.where(lambda record: record.scheme != "visa")
    visa = during.where(lambda record: record.scheme == "visa")
    return {
        "calls during": len(during),
        "visa's success during, %": _success(visa),
        "others' success during, %": _success(others),
        "others' p50 during, ms": latency_ms(others, 0.5),
        "others' p99 during, ms": latency_ms(others, 0.99),
        "not succeeded for": reasons(during.where(lambda record: not passed(record))),
        "said": played.story,
        "driver's own lag p99, ms": driver_lag_ms(played.history),
    }


INC_10 = Replay("INC-10", "One scheme fails, the others do not", 1.0, play)
