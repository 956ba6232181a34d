"""INC-21: everything looks down, so everything is refused, and stays refused.

Every upstream of a route fails, long enough for each health signal to say so, and
then all are well while the signals still say otherwise. Played with two ways of
failing: nobody listens, so that nothing is ever sent; and every call is answered
with a 500. The last way out is throttled and never closed: calls are tried all the
while, and the first that succeed bring the rest back.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.incidents.arms import PLAIN, TIDEGATE, Played, passed, recovered_s, row
from loadtests.incidents.checker import check
from loadtests.incidents.configured import one_route
from loadtests.incidents.figures import driver_lag_ms, reasons
from loadtests.incidents.peers import Story, play_story
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from loadtests.incidents.usual import Usual
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 50.0
HEALTHY_S, FAULT_S, AFTER_S = 20.0, 40.0, 20.0
QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S = 5.0, 18.0, 10.0
DEADLINE_S = 3.0
WINDOW_S = 1.0
TRIED_MIN = 20.0
RECOVERED_S_MAX = 5.0
SCHEMES = {"visa": 0.5, "mastercard": 0.4, "amex": 0.1}
PREFIX, TARGET = "/psp/", "payments"
FAULTS: Mapping[str, dict[str, Any]] = {
    "nobody listens": {"kind": "refuse"},
    "every answer is a 500": {"kind": "status", "status": 500},
}


async def play(run: Run) -> Measured:
    """Each way of failing for each arm; the arms of one way beside each other."""
    measured = Measured()
    for part, fault in FAULTS.items():
        given = story(run, part, fault)
        played = await play_story(run, given, _staged, USUAL.arms)
        measured.arms += [row(part, each, WINDOW_S) for each in played]
        ours = played[0]
        measured.bars += bars(part, ours)
        measured.bars += ledger_bars(part, check(ours.history, ours.executions))
        measured.figures |= {f"{part}, {each.arm}": _figures(each) for each in played}
        measured.driver_lag_ms = max(measured.driver_lag_ms, driver_lag_ms(ours.history))
    measured.summary = "; ".join(
        f"{bar.variant}: {bar.name} {bar.figure:.3g} {bar.unit}" for bar in measured.bars[:2]
    )
    return measured


def story(run: Run, part: str, fault: Mapping[str, Any]) -> Story:
    """One way of failing, at both upstreams at once."""
    healthy_s, fault_s, after_s = (
        (QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S)
        if run.quick
        else (HEALTHY_S, FAULT_S, AFTER_S)
    )
    load = Load(RATE_PER_S, healthy_s + fault_s + after_s, 21, part.replace(" ", "-"), SCHEMES)

    def strike(partners: Sequence[SandboxPartner]) -> None:
        for partner in partners:
            partner.set_faults(fault)

    return Story(part, lambda arm: plan(load, arm), healthy_s, healthy_s + fault_s, strike)


async def _staged(stage: Stage) -> list[SandboxPartner]:
    names = {"primary": 21, "standby": 22}
    started = [stage.partner(name, "acquirer", seed=seed) for name, seed in names.items()]
    return list(await asyncio.gather(*started))


def configuration(urls: Sequence[str]) -> dict[str, Any]:
    """One partner with two upstreams, and nothing but defaults for the breakers."""
    names = [f"upstream-{number}" for number in range(1, len(urls) + 1)]
    upstreams = {name: {"url": url} for name, url in zip(names, urls, strict=True)}
    return one_route({"acquirer": {"upstreams": upstreams}}, names, f"{DEADLINE_S:g}s")


USUAL = Usual(PREFIX, TARGET, DEADLINE_S, configuration)


def bars(part: str, ours: Played) -> list[Bar]:
    """What the incident promises of one way of failing."""
    during, after = ours.during, ours.after
    tried = share_of(during.count(lambda record: record.attempts > 0), len(during))
    first_at = min((r.ended_at for r in after.records if passed(r)), default=math.nan)
    full_s = ours.cleared_at + recovered_s(after, ours.cleared_at, WINDOW_S) - first_at
    return [
        Bar(part, "calls tried all the same", tried, ">=", TRIED_MIN, "%", f"{len(during)} calls"),
        Bar(
            part,
            "full traffic after the first success",
            max(0.0, full_s) if not math.isnan(full_s) else math.nan,
            "<=",
            RECOVERED_S_MAX,
            "s",
            f"the first {first_at - ours.cleared_at:.2f} s after the upstreams were well",
        ),
    ]


def _figures(played: Played) -> dict[str, Figure]:
    during = played.during
    return {
        "calls during": len(during),
        "tried, %": share_of(during.count(lambda record: record.attempts > 0), len(during))
        if played.arm in (TIDEGATE, PLAIN)
        else "-",
        "said": played.story,
        "after, not succeeded for": reasons(played.after.where(lambda r: not passed(r))),
        "driver's own lag p99, ms": driver_lag_ms(played.history),
    }


INC_21 = Replay("INC-21", "Everything looks down, so everything is refused", 1.0, play)
