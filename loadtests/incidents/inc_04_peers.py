"""INC-04 beside Envoy and a plain client: one scheme hangs for a while, and is well again.

The bars of the incident rest on the arms of inc_04.py; here are the rows to be
held against each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from loadtests.incidents.arms import Played, passed, row
from loadtests.incidents.figures import latency_ms, reasons
from loadtests.incidents.history import CallRecord
from loadtests.incidents.peers import Story, play_story
from loadtests.incidents.result import Figure
from loadtests.incidents.run import Measured, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from loadtests.incidents.usual import Usual
from proxy.sandbox.client import SandboxPartner

PART = "one scheme hangs"
HEALTHY_S, FAULT_S, AFTER_S = 10.0, 40.0, 15.0
QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S = 2.0, 6.0, 5.0
WINDOW_S = 1.0


async def peers(
    run: Run, measured: Measured, usual: Usual, fault: Mapping[str, Any], of: tuple[float, str]
) -> None:
    """The three beside each other; rows and figures are added.

    `of` is the rate of the calls, and the scheme that hangs: 40 % of them.
    """
    healthy_s, fault_s, after_s = (
        (QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S)
        if run.quick
        else (HEALTHY_S, FAULT_S, AFTER_S)
    )
    rate_per_s, scheme = of
    schemes = {scheme: 0.4, "mastercard": 0.5, "amex": 0.1}
    load = Load(rate_per_s, healthy_s + fault_s + after_s, 4, "peers", schemes)

    def strike(partners: Sequence[SandboxPartner]) -> None:
        partners[0].set_faults(fault)

    story = Story(PART, lambda arm: plan(load, arm), healthy_s, healthy_s + fault_s, strike)
    for played in await play_story(run, story, _staged, usual.arms):
        measured.arms.append(row(PART, played, WINDOW_S))
        measured.figures[f"{PART}, {played.arm}"] = _figures(played, scheme)


async def _staged(stage: Stage) -> list[SandboxPartner]:
    return [await stage.partner("acquirer", "acquirer", seed=4)]


def _figures(played: Played, scheme: str) -> dict[str, Figure]:
    def is_other(record: CallRecord) -> bool:
        return record.scheme != scheme

    others = played.during.where(is_other)
    hung = played.during.where(lambda record: not is_other(record))
    return {
        "others' success, %": share_of(others.count(passed), len(others)),
        "others' p50, ms": latency_ms(others, 0.5),
        "others' p99, ms": latency_ms(others, 0.99),
        "slowest hung call, s": max(record.answer_s for record in hung.records),
        "not succeeded for": reasons(played.during.where(lambda r: not passed(r))),
        "said": played.story,
    }
