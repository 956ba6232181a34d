"""INC-05: a partner is asked for twice what it can take, and one channel is not to drown another.

The partner loses workers until it has 25, at 100 ms a call, and whatever finds none
waits in its line, without a bound, as most servers have it. Checkout is 30 % of the
calls; a batch of recurring payments has its operation, and so its compartment, with
less priority; refunds have a compartment of their own. Then the workers come back.
The second part is a partner that does nothing at all and says so, or does not
listen: see inc_05_storm.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from loadtests.incidents.arms import Played, ended_per_s, passed, recovered_s, row
from loadtests.incidents.checker import check
from loadtests.incidents.envoy import EnvoyPlan, EnvoyRoute
from loadtests.incidents.figures import driver_lag_ms, latency_ms, reasons
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.inc_05_storm import play_storm
from loadtests.incidents.metrics import Admin
from loadtests.incidents.peers import Arm, Story, envoy_arm, plain_arm, play_story, sidecar_arm
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, PlannedCall, plan
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import share_of
from proxy.sandbox.client import SandboxPartner

PART = "saturated"
WORKERS, WORK_MS = 25, 100.0
CAPACITY_PER_S = WORKERS * 1000.0 / WORK_MS
RATE_PER_S = 2 * CAPACITY_PER_S
HEALTHY_S, FAULT_S, AFTER_S = 10.0, 60.0, 15.0
QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S = 3.0, 10.0, 7.0
DEADLINE_S = 3.0
WINDOW_S = 1.0
SETTLING_S = 1.0
"""The line at the partner fills first; goodput is measured behind that, as capacity is."""
GOODPUT_MIN = 95.0
ATTEMPTS_MAX = 1.2
HIGH_MIN = 99.0
RECOVERED_S_MAX = 5.0
CHECKOUT, RECURRING, REFUNDS = "visa", "mastercard", "amex"
"""The channels, told apart by a scheme each, which nothing else depends on."""
SCHEMES = {CHECKOUT: 0.3, RECURRING: 0.35, REFUNDS: 0.35}
PREFIXES = {CHECKOUT: "/checkout/", RECURRING: "/recurring/", REFUNDS: "/refunds/"}


async def play(run: Run) -> Measured:
    """The arms one after the other, for each needs the machine; then the storm."""
    measured = Measured()
    played = await play_story(run, story(run), _staged, _ARMS, together=False)
    measured.arms += [row(PART, each, WINDOW_S) for each in played]
    ours = played[0]
    measured.bars += bars(ours)
    measured.bars += ledger_bars(PART, check(ours.history, ours.executions))
    measured.figures |= {f"{PART}, {each.arm}": _figures(each) for each in played}
    measured.driver_lag_ms = driver_lag_ms(ours.history)
    measured.summary = "; ".join(
        f"{bar.name} {bar.figure:.3g} {bar.unit}".strip() for bar in measured.bars[:4]
    )
    await play_storm(run, measured)
    return measured


def story(run: Run) -> Story:
    """Twice what the partner can take while it has few workers; half of it, when it has many."""
    healthy_s, fault_s, after_s = (
        (QUICK_HEALTHY_S, QUICK_FAULT_S, QUICK_AFTER_S)
        if run.quick
        else (HEALTHY_S, FAULT_S, AFTER_S)
    )
    load = Load(RATE_PER_S, healthy_s + fault_s + after_s, 5, PART, SCHEMES)

    def strike(partners: Sequence[SandboxPartner]) -> None:
        for partner in partners:
            partner.set_faults({"kind": "workers", "workers": WORKERS})

    return Story(PART, lambda arm: plan(load, arm), healthy_s, healthy_s + fault_s, strike)


async def _staged(stage: Stage) -> list[SandboxPartner]:
    return [await stage.partner("acquirer", "acquirer", 5, WORK_MS, latency_sigma=0.0)]


def _path(call: PlannedCall) -> str:
    return f"{PREFIXES[call.scheme]}payments"


async def _sidecar(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    config = configuration(partners[0].url)
    return await sidecar_arm(stage, config, _path, _says, 3 * DEADLINE_S)


async def _envoy(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    """What is not checkout may have half as many connections: what they need while all is well."""
    routes = [
        EnvoyRoute(PREFIXES[CHECKOUT], DEADLINE_S, high=True),
        EnvoyRoute(PREFIXES[RECURRING], DEADLINE_S),
        EnvoyRoute(PREFIXES[REFUNDS], DEADLINE_S),
    ]
    ports = [partners[0].port]
    given = EnvoyPlan(ports, routes, connections_max=100, connections_max_low=50)
    return await envoy_arm(stage, given, _path, 3 * DEADLINE_S)


async def _plain(_: Run, stage: Stage, partners: Sequence[SandboxPartner]) -> Arm:
    return await plain_arm(stage, [partners[0].url], "/payments", DEADLINE_S)


_ARMS = (_sidecar, _envoy, _plain)


def configuration(url: str) -> dict[str, Any]:
    """Three routes to one upstream, with defaults but for deadlines and one priority."""
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0", "timeout_drain": "1s"},
        "admin": {"address": "127.0.0.1:0"},
        "partners": {"acquirer": {"upstreams": {"only": {"url": url}}}},
        "routes": [
            {
                "name": name,
                "match": {"path": PREFIXES[channel]},
                "strip_prefix": True,
                "operation": operation,
                "candidates": ["only"],
                "priority": priority,
                "deadline": f"{DEADLINE_S:g}s",
            }
            for name, channel, operation, priority in (
                ("checkout", CHECKOUT, "authorize", "payment"),
                ("recurring", RECURRING, "authorize", "back_office"),
                ("refunds", REFUNDS, "refund", "back_office"),
            )
        ],
    }


async def _says(admin: Admin) -> set[str]:
    """Compartments whose places are all taken, and breakers that are not closed."""
    load = await admin.load()
    full = {
        f"{each['upstream']} {each['compartment']}: {each['limit']} at work, others wait"
        for each in load["bulkheads"]
        if each["waiting"]
    }
    unwell = {
        f"{each['upstream']} {each['compartment']}: {each['state']}"
        for each in load["breakers"]
        if each["state"] != "closed"
    }
    return full | unwell


def bars(ours: Played) -> list[Bar]:
    """What the incident promises."""
    settled_at = ours.fault_at + SETTLING_S
    goodput_per_s = ended_per_s(ours.history, settled_at, ours.cleared_at)
    high = ours.during.where(_is_high)
    attempts = sum(record.attempts for record in ours.history.records)
    back_s = recovered_s(ours.after, ours.cleared_at, WINDOW_S)
    return [
        Bar(
            PART,
            "goodput to capacity",
            100 * goodput_per_s / CAPACITY_PER_S,
            ">=",
            GOODPUT_MIN,
            "%",
            f"{goodput_per_s:.1f}/s; {WORKERS} workers x {WORK_MS:g} ms = {CAPACITY_PER_S:g}/s",
        ),
        Bar(
            PART,
            "attempts to calls",
            attempts / len(ours.history),
            "<=",
            ATTEMPTS_MAX,
            "x",
            f"{attempts} attempts",
        ),
        Bar(
            PART,
            "high priority's success",
            share_of(high.count(passed), len(high)),
            ">=",
            HIGH_MIN,
            "%",
            f"{len(high)} calls; not for {reasons(high.where(lambda r: not passed(r)))}",
        ),
        Bar(PART, "back to normal", back_s, "<=", RECOVERED_S_MAX, "s", f"{len(ours.after)} calls"),
    ]


def _figures(played: Played) -> dict[str, Figure]:
    high = played.during.where(_is_high)
    low = played.during.where(lambda record: not _is_high(record))
    return {
        "calls during": len(played.during),
        "checkout done, %": share_of(high.count(passed), len(high)),
        "checkout p50, ms": _latency_ms(high, 0.5),
        "checkout p99, ms": _latency_ms(high, 0.99),
        "the others done, %": share_of(low.count(passed), len(low)),
        "the others p50, ms": _latency_ms(low, 0.5),
        "executed, nobody told": played.history.count(
            lambda record: record.status in (0, 504) and record.nonce in _executed(played)
        ),
        "not done for": reasons(played.during.where(lambda r: not passed(r))),
        "said": played.story,
        "driver's own lag p99, ms": driver_lag_ms(played.history),
    }


def _executed(played: Played) -> frozenset[str]:
    return frozenset(each.nonce for each in played.executions)


def _latency_ms(history: History, share: float) -> float:
    return latency_ms(history.where(passed), share)


def _is_high(record: CallRecord) -> bool:
    return record.scheme == CHECKOUT


INC_05 = Replay("INC-05", "Saturation: twice what the partner can take, and a storm", 1.0, play)
