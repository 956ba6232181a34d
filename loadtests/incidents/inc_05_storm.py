"""The storm of INC-05: a partner takes nothing at all, and then comes back to whatever waits.

It says 429 to everything, which proves that nothing was executed and so is what may be
repeated; or nobody listens. With one upstream a call is tried twice by default.
Retries may not multiply the load, and when the partner is
back, what it sees has to rise to the usual, not above it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.incidents.arms import Played, peak_per_s, row
from loadtests.incidents.checker import check
from loadtests.incidents.figures import driver_lag_ms, reasons
from loadtests.incidents.inc_21 import SCHEMES, USUAL
from loadtests.incidents.peers import Story, play_story
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 100.0
HEALTHY_S, FAULT_S, AFTER_S = 10.0, 30.0, 20.0
QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S = 3.0, 10.0, 9.0
WINDOW_S = 1.0
ATTEMPTS_MAX = 1.2
PEAK_MAX = 1.5
FAULTS: Mapping[str, dict[str, Any]] = {
    "storm, 429": {"kind": "status", "status": 429},
    "storm, refused": {"kind": "refuse"},
}


async def play_storm(run: Run, measured: Measured) -> None:
    """Both ways of taking nothing; what is measured is added."""
    for part, fault in FAULTS.items():
        played = await play_story(run, story(run, part, fault), _staged, USUAL.arms)
        ours = played[0]
        measured.arms += [row(part, each, WINDOW_S) for each in played]
        measured.bars += bars(part, ours)
        measured.bars += ledger_bars(part, check(ours.history, ours.executions))
        measured.figures |= {f"{part}, {each.arm}": _figures(each) for each in played}
        measured.driver_lag_ms = max(measured.driver_lag_ms, driver_lag_ms(ours.history))


def story(run: Run, part: str, fault: Mapping[str, Any]) -> Story:
    """A steady load, and a partner that takes nothing of it for a while."""
    healthy_s, fault_s, after_s = (
        (QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S)
        if run.quick
        else (HEALTHY_S, FAULT_S, AFTER_S)
    )
    prefix = part.replace(", ", "-")
    load = Load(RATE_PER_S, healthy_s + fault_s + after_s, 55, prefix, SCHEMES)

    def strike(partners: Sequence[SandboxPartner]) -> None:
        for partner in partners:
            partner.set_faults(fault)

    return Story(part, lambda arm: plan(load, arm), healthy_s, healthy_s + fault_s, strike)


async def _staged(stage: Stage) -> list[SandboxPartner]:
    return [await stage.partner("acquirer", "acquirer", seed=55)]


def bars(part: str, ours: Played) -> list[Bar]:
    """What is promised of one way of taking nothing."""
    during = ours.during
    attempts = sum(record.attempts for record in during.records)
    peak = peak_per_s(ours.requests, ours.cleared_at, WINDOW_S)
    return [
        Bar(
            part,
            "attempts to calls",
            attempts / len(during) if len(during) else float("nan"),
            "<=",
            ATTEMPTS_MAX,
            "x",
            f"{attempts} attempts of {len(during)} calls",
        ),
        Bar(
            part,
            "peak on the partner, once it is back, to steady",
            peak / RATE_PER_S,
            "<=",
            PEAK_MAX,
            "x",
            f"{peak:.0f} requests/s over {WINDOW_S:g} s",
        ),
    ]


def _figures(played: Played) -> dict[str, Figure]:
    return {
        "calls during": len(played.during),
        "peak after, requests/s": peak_per_s(played.requests, played.cleared_at, WINDOW_S),
        "said": played.story,
        "not succeeded during for": reasons(played.during),
        "driver's own lag p99, ms": driver_lag_ms(played.history),
    }
