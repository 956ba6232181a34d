"""INC-08, the unsent part: a region goes, and no call that never left may be lost by it.

Two upstreams of one partner, calls at a fixed rate, and then the primary is
gone: its listener refuses, or packets vanish and nothing answers at all. A call
that could not connect has proven not to be executed, so it must succeed at the
standby. A call that was on its way, or that took an idle connection into the
silence, is in doubt: there may be as many of those as there were calls in
flight and idle connections, and not one more.
"""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from typing import Any

from loadtests.incidents.arms import TIDEGATE, Played
from loadtests.incidents.checker import Findings, check
from loadtests.incidents.configured import one_route
from loadtests.incidents.figures import (
    driver_lag_ms,
    goodput_per_s,
    in_doubt,
    latency_ms,
    reasons,
    succeeded,
)
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.inc_08_peers import DEADLINE_S, peers
from loadtests.incidents.metrics import Admin
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Running, Sidecar, Stage
from loadtests.incidents.stats import share_of
from proxy.sandbox.client import SandboxPartner

RATE_PER_S = 200.0
WARM_S = 2.0
HEALTHY_S = 4.0
FAULT_S = 22.0
RECOVERED_S = 4.0
SETTLED_AFTER_S = 10.0
SCHEMES = {"visa": 0.5, "mastercard": 0.4, "amex": 0.1}
PATH = "/psp/payments"
_FINDINGS_EVERY_S = 0.05


@dataclass(slots=True)
class Fault:
    """The fault as it happened; instants are monotonic. It took hold between the first two."""

    idle: int
    sampled_at: float
    """Before the idle connections were counted."""
    ordered_at: float
    confirmed_at: float
    cleared_at: float = math.nan
    found: dict[str, float] = field(default_factory=dict)
    """What `/findings` says of the primary, and the seconds after the order when it first did."""

    def doubts_max(self, history: History) -> tuple[int, int]:
        """Calls in flight and idle connections at the fault: each may end in doubt once.

        A call that ended after the count left an idle connection that was not
        counted, so whatever was in flight from there on belongs to the bound.
        """
        return history.in_flight(self.sampled_at, self.confirmed_at), self.idle


async def play(run: Run) -> Measured:
    """Both ways of being gone, each on processes of its own."""
    measured = Measured()
    summaries = []
    for kind in ("refuse", "blackhole"):
        async with Stage(run.directory / kind, run.progress) as stage:
            summaries.append(await _play_kind(run, stage, kind, measured))
    measured.summary = "; ".join(summaries)
    return measured


def configuration(run: Run, primary_url: str, standby_url: str) -> dict[str, Any]:
    """One partner with two upstreams; every timeout scaled."""
    timeouts = {"connect": run.duration(1.0), "first_byte": run.duration(3.0)}
    upstreams = {
        "primary": {"url": primary_url, "timeouts": timeouts},
        "standby": {"url": standby_url, "timeouts": timeouts},
    }
    partners = {"acquirer": {"upstreams": upstreams}}
    return one_route(partners, [*upstreams], run.duration(DEADLINE_S))


async def _play_kind(run: Run, stage: Stage, kind: str, measured: Measured) -> str:
    """One variant: its bars and figures go to `measured`; its part of the summary."""
    primary = await stage.partner("primary", "acquirer", seed=8)
    standby = await stage.partner("standby", "acquirer", seed=9)
    sidecar = await stage.sidecar(configuration(run, primary.url, standby.url))
    driver = await stage.driver(sidecar.payments_url, give_up_s=3 * run.scaled(DEADLINE_S))
    warm = plan(Load(RATE_PER_S, WARM_S, 8, f"{kind}-warm", SCHEMES), kind)
    async with stage.load(driver, PATH, warm, f"{kind} warm-up") as warming:
        pass
    duration_s = run.scaled(HEALTHY_S + FAULT_S + RECOVERED_S)
    calls = plan(Load(RATE_PER_S, duration_s, 8, kind, SCHEMES), kind)
    async with stage.load(driver, PATH, calls, f"{kind} load") as running:
        fault = await _timeline(run, running, sidecar, primary, kind)
    history = running.history
    findings = check(History([*warming.history.records, *history.records]), stage.executions())
    measured.bars += bars(run, kind, history, fault) + ledger_bars(kind, findings)
    measured.driver_lag_ms = max(measured.driver_lag_ms, driver_lag_ms(history))
    measured.figures[kind] = _figures(history, fault)
    ours = Played(TIDEGATE, history, fault.ordered_at, fault.cleared_at, _first(fault))
    ours.executions = [each for each in stage.executions() if "-warm-" not in each.reference]
    clear_s = run.scaled(HEALTHY_S + FAULT_S)
    measured.arms += await peers(run, kind, calls, (run.scaled(HEALTHY_S), clear_s), ours)
    return _summary(kind, history, fault, findings)


async def _timeline(
    run: Run, running: Running, sidecar: Sidecar, primary: SandboxPartner, kind: str
) -> Fault:
    """Healthy, then the fault, then healthy again, at instants of the load's own clock."""
    await running.at(run.scaled(HEALTHY_S))
    sampled_at = time.monotonic()
    connections = await sidecar.admin.connections("primary")
    ordered_at = time.monotonic()
    await asyncio.to_thread(primary.set_faults, {"kind": kind})
    fault = Fault(connections["idle"], sampled_at, ordered_at, time.monotonic())
    run.progress.say(f"{kind}: the primary is gone")
    clear_s = run.scaled(HEALTHY_S + FAULT_S)
    watch = asyncio.create_task(_watch(sidecar.admin, fault))
    try:
        await running.at(clear_s)
    finally:
        watch.cancel()
    await asyncio.to_thread(primary.clear)
    fault.cleared_at = time.monotonic()
    run.progress.say(f"{kind}: the primary is back")
    return fault


async def _watch(admin: Admin, fault: Fault) -> None:
    """Note when the sidecar first says what is wrong at the primary, where and whose fault."""
    while True:
        for finding in await admin.findings():
            if finding.upstream == "primary":
                said = f"{finding.phase} {finding.reason}, origin {finding.origin}"
                fault.found.setdefault(said, time.monotonic() - fault.ordered_at)
        await asyncio.sleep(_FINDINGS_EVERY_S)


def bars(run: Run, kind: str, history: History, fault: Fault) -> list[Bar]:
    """What the incident promises of one variant, beside the bars of the ledgers."""
    moved = history.where(lambda r: r.scheduled_at >= fault.ordered_at and _never_left(r))
    in_flight, idle = fault.doubts_max(history)
    late = _late(run, history, fault)
    late_s, deadline_s = run.scaled(SETTLED_AFTER_S), run.scaled(DEADLINE_S)
    slowest_s = max(late.latencies_s(), default=math.nan)
    return [
        Bar(
            kind,
            "unsent calls that succeeded by failover",
            share_of(moved.count(succeeded), len(moved)),
            "=",
            100.0,
            "%",
            f"{len(moved)} calls unsent at the primary",
        ),
        Bar(
            kind,
            "in doubt",
            history.count(in_doubt),
            "<=",
            in_flight + idle,
            note=f"{in_flight} calls in flight + {idle} idle connections at the fault",
        ),
        Bar(
            kind,
            f"success of calls begun {late_s:g} s or more after the fault",
            share_of(late.count(succeeded), len(late)),
            ">=",
            99.0,
            "%",
            f"{len(late)} calls",
        ),
        Bar(kind, "the slowest of them", slowest_s, "<=", deadline_s, "s", "its deadline"),
    ]


def _figures(history: History, fault: Fault) -> dict[str, Figure]:
    healthy = history.where(lambda r: r.ended_at < fault.ordered_at)
    faulty = history.begun(fault.ordered_at, fault.cleared_at)
    after = history.begun(fault.cleared_at)
    back = [r.scheduled_at for r in after.records if r.upstream == "primary" and r.succeeded]
    return {
        "calls": len(history),
        "goodput before, calls/s": goodput_per_s(healthy),
        "goodput during, calls/s": goodput_per_s(faulty),
        "p50 before, ms": latency_ms(healthy, 0.5),
        "p50 during, ms": latency_ms(faulty, 0.5),
        "p99 before, ms": latency_ms(healthy, 0.99),
        "p99 during, ms": latency_ms(faulty, 0.99),
        "not succeeded for": reasons(history),
        "primary in use again after s": min(back, default=math.nan) - fault.cleared_at,
        "driver's own lag p99, ms": driver_lag_ms(history),
        **{f"found {said}, s": seconds for said, seconds in fault.found.items()},
    }


def _summary(kind: str, history: History, fault: Fault, findings: Findings) -> str:
    moved = history.count(lambda r: r.scheduled_at >= fault.ordered_at and _never_left(r))
    found_s = min((s for said, s in fault.found.items() if "connect" in said), default=math.nan)
    return (
        f"{kind}: {moved} unsent calls moved, in doubt {history.count(in_doubt)}"
        f" <= {sum(fault.doubts_max(history))}, dup {findings.dup}, found {found_s:.2f} s"
    )


def _first(fault: Fault) -> float:
    return min(fault.found.values(), default=math.nan)


def _late(run: Run, history: History, fault: Fault) -> History:
    return history.begun(fault.confirmed_at + run.scaled(SETTLED_AFTER_S), fault.cleared_at)


def _never_left(record: CallRecord) -> bool:
    """Whether a call was unsent at the primary: the standby had it, or nobody."""
    return record.upstream == "standby" or record.outcome in ("unsent", "refused")


INC_08 = Replay("INC-08", "A region goes: the primary refuses, or falls silent", 0.4, play)
