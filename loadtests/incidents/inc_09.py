"""INC-09: 3-D Secure at an outside partner fails for a share of the calls.

Five calls a second, two 3-D Secure servers, and the first one fails 30 % of them:
two in three with a 500, one in three by not answering at all. An authentication
moves no money, so a call may go on to the second server after either; and once the
first one is found degraded, calls begin at the second.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Sequence
from typing import Any

from loadtests.incidents.arms import ENVOY, Played, passed, row
from loadtests.incidents.checker import check
from loadtests.incidents.configured import one_route
from loadtests.incidents.envoy import CONNECT_FAILURE, EnvoyPlan, EnvoyRoute
from loadtests.incidents.figures import driver_lag_ms, latency_ms, reasons
from loadtests.incidents.history import History
from loadtests.incidents.peers import Arm, Story, envoy_arm, play_story
from loadtests.incidents.result import Bar, Figure
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from loadtests.incidents.usual import Usual
from proxy.sandbox.client import SandboxPartner

PART = "30 % failing"
RATE_PER_S = 5.0
HEALTHY_S, FAULT_S, AFTER_S = 60.0, 120.0, 30.0
QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S = 12.0, 40.0, 10.0
ANSWERED_500, HANGING = 0.2, 0.125
"""Of all calls, and of those that meet no 500: 30 % together."""
DEADLINE_S = 3.0
"""What the 3-D Secure calls of the incident were given."""
FIRST_BYTE_S = 1.0
WINDOW_S = 4.0
FOUND_S_MAX = 15.0
SUCCESS_MIN = 95.0
SCHEMES = {"visa": 0.5, "mastercard": 0.5}
_VERDICTS = ("first authenticate: degraded", "first authenticate: open")
PREFIX, TARGET = "/acs/", "3ds/authenticate"
FIRST, SECOND = "first", "second"
_WITH_500 = f"{ENVOY}, retries 5xx"


async def play(run: Run) -> Measured:
    """All arms beside each other: the load is five calls a second each."""
    measured = Measured()
    played = await play_story(run, story(run), _staged, _ARMS)
    ours = played[0]
    findings = check(ours.history, ours.executions)
    measured.arms = [row(PART, each, WINDOW_S) for each in played]
    measured.bars += bars(ours)
    measured.bars.append(Bar(PART, "mixed answers", findings.mixed, "=", 0))
    measured.bars.append(Bar(PART, "told done, was not", findings.lied_done, "=", 0))
    measured.figures |= {f"{PART}, {each.arm}": _figures(each) for each in played}
    measured.driver_lag_ms = driver_lag_ms(ours.history)
    measured.summary = "; ".join(
        f"{bar.name} {bar.figure:.3g} {bar.unit}".strip() for bar in measured.bars[:2]
    )
    return measured


def story(run: Run) -> Story:
    """Healthy long enough for a baseline, then failing, then well."""
    healthy_s, fault_s, after_s = (
        (QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S)
        if run.quick
        else (HEALTHY_S, FAULT_S, AFTER_S)
    )
    load = Load(RATE_PER_S, healthy_s + fault_s + after_s, 9, "three-ds", SCHEMES)

    def strike(partners: Sequence[SandboxPartner]) -> None:
        partners[0].set_faults(
            {"kind": "status", "status": 500, "share": ANSWERED_500},
            {"kind": "hang", "share": HANGING, "execute": "never"},
        )

    return Story("three-ds", lambda arm: plan(load, arm), healthy_s, healthy_s + fault_s, strike)


async def _staged(stage: Stage) -> list[SandboxPartner]:
    names = {FIRST: 9, SECOND: 10}
    started = [stage.partner(name, "threeds", seed=seed) for name, seed in names.items()]
    return list(await asyncio.gather(*started))


def configuration(urls: Sequence[str]) -> dict[str, Any]:
    """Two servers; that authenticating moves no money is the operation's default."""
    servers = dict(zip((FIRST, SECOND), urls, strict=True))
    return one_route(
        {name: {"upstreams": {name: {"url": url}}} for name, url in servers.items()},
        [FIRST, SECOND],
        f"{DEADLINE_S:g}s",
        name="three-ds",
        match={"path": PREFIX},
        operation="authenticate",
        timeouts={"first_byte": f"{FIRST_BYTE_S:g}s"},
    )


USUAL = Usual(PREFIX, TARGET, DEADLINE_S, configuration)


async def _envoy_with_500(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    """An authentication moves no money, so Envoy may be told to repeat it after a 5xx as well."""
    retry_on = f"{CONNECT_FAILURE},5xx"
    route = EnvoyRoute(PREFIX, DEADLINE_S, retry_on=retry_on, try_s=FIRST_BYTE_S)
    given = EnvoyPlan([partner.port for partner in partners], [route])
    return await envoy_arm(stage, given, PREFIX + TARGET, 3 * DEADLINE_S, _WITH_500)


_ARMS = (USUAL.sidecar, USUAL.envoy, _envoy_with_500, USUAL.plain)


def bars(ours: Played) -> list[Bar]:
    """What the incident promises."""
    found_s = min((s for said, s in ours.said.items() if said in _VERDICTS), default=math.nan)
    since = ours.history.begun(ours.fault_at + found_s, ours.cleared_at)
    at_second = since.where(lambda record: record.upstream == SECOND)
    named = sum(said.startswith(f"{FIRST} ") for said in ours.said)
    wrong = len(ours.said) - named
    return [
        Bar(PART, "found", found_s, "<=", FOUND_S_MAX, "s", "by its share, whatever else was seen"),
        Bar(PART, "success once found", _success(since), ">=", SUCCESS_MIN, "%", _of(since)),
        Bar(
            PART,
            "answered by the second server once found",
            share_of(len(at_second), len(since)),
            ">=",
            50.0,
            "%",
            "or it was failover alone",
        ),
        Bar(
            PART, "verdicts on anybody else", wrong if named else math.nan, "=", 0, note=ours.story
        ),
    ]


def _success(history: History) -> float:
    return share_of(history.count(passed), len(history))


def _of(history: History) -> str:
    return f"{len(history)} calls"


def _figures(played: Played) -> dict[str, Figure]:
    during = played.during
    return {
        "calls during": len(during),
        "success before it was found, %": _success(
            during.where(lambda r: not r.scheduled_at >= played.fault_at + played.found_s)
        ),
        "p50 during, ms": latency_ms(during, 0.5),
        "p99 during, ms": latency_ms(during, 0.99),
        "not succeeded for": reasons(during.where(lambda r: not passed(r))),
        "said": played.story,
        "driver's own lag p99, ms": driver_lag_ms(played.history),
    }


INC_09 = Replay("INC-09", "3-D Secure fails for a share of the calls", 1.0, play)
