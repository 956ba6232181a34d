"""INC-20, monitoring must not break payments: the collector hangs, floods, refuses or errs.

Everything is on: metrics every second, and every call sampled, up to the bound
of traces. Arms alternate on the same processes with the same references; the
healthy arm has a collector that takes everything. What is lost must be counted,
and nothing else may be lost.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from operator import sub, truediv
from pathlib import Path
from typing import Any

from loadtests.incidents.checker import Execution, by_nonce, check
from loadtests.incidents.driver import Driver
from loadtests.incidents.figures import (
    driver_lag_ms,
    latency_ms,
    own_share_ms,
    reasons,
    succeeded,
)
from loadtests.incidents.history import History, merged
from loadtests.incidents.memory import MemoryWatch
from loadtests.incidents.metrics import Admin, Samples, sample
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.schedule import Load, plan
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import median, share_of

RATE_PER_S = 200.0
SCHEMES = {"visa": 1.0}
SAMPLES = 4000
QUICK_ARM_S = 2.5
ROUNDS = 3
WARM_S = 2.0
P99_RATIO_MAX = 1.05
OWN_SHARE_GROWTH_MS = 0.5
RSS_GROWTH_MIB = 20.0
FLOODS = "floods"
FAULTS = ("hangs", FLOODS, "refuses", "errs")
HEALTHY = "takes"
PATH = "/psp/payments"
DROPPED = "tidegate_telemetry_dropped_total"
_REASONS = ("waiting_max", "collector", "bug", "traces_per_s_max")


async def play(run: Run) -> Measured:
    """Alternate the arms, then hold every arm with a fault against the healthy one."""
    async with Stage(run.directory, run.progress) as stage:
        mode = run.directory / "collector-mode"
        mode.write_text(HEALTHY, encoding="ascii")
        command = [sys.executable, "-m", "loadtests.incidents.collector", str(mode)]
        process = stage.process("collector", command)
        ready = await process.line(r"^collector ready (\S+)$", process.out_path, 15.0)
        partner = await stage.partner("acquirer", "acquirer", seed=20)
        sidecar = await stage.sidecar(configuration(partner.url, ready[1]))
        driver = await stage.driver(sidecar.payments_url, give_up_s=10.0)
        arms = Arms(stage, driver, sidecar.admin, mode)
        await arms.drive("warm-up", Load(RATE_PER_S, WARM_S, 20, "warm", SCHEMES))
        async with MemoryWatch(sidecar.process.pid) as memory:
            for number in range(1, ROUNDS + 1):
                load = Load(RATE_PER_S, arm_s(run), 20, f"round-{number}", SCHEMES)
                for arm in in_turn(number):
                    await arms.drive(arm, load)
        return measured(arms.runs, arms.dropped, memory, stage.executions())


def in_turn(number: int) -> tuple[str, ...]:
    """The arms of a round: each begins with another, so that none always comes first."""
    arms = (HEALTHY, *FAULTS)
    at = 2 * number % len(arms)
    return arms[at:] + arms[:at]


def arm_s(run: Run) -> float:
    """How long an arm lasts; the quick form has fewer samples and says how many."""
    return QUICK_ARM_S if run.quick else SAMPLES / RATE_PER_S


def configuration(acquirer_url: str, collector_url: str) -> dict[str, Any]:
    """Everything on, with a queue that an arm of the quick form fills."""
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0", "timeout_drain": "1s"},
        "admin": {"address": "127.0.0.1:0"},
        "telemetry": {
            "endpoint": collector_url,
            "sample_ratio": 1.0,
            "metrics_interval": "1s",
            "timeout": "1s",
            "waiting_max": 100,
        },
        "partners": {"acquirer": {"upstreams": {"only": {"url": acquirer_url}}}},
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


class Arms:
    """Drives the arms; keeps their histories and how much telemetry each lost."""

    def __init__(self, stage: Stage, driver: Driver, admin: Admin, mode: Path) -> None:
        self._stage = stage
        self._driver = driver
        self._admin = admin
        self._mode = mode
        self.runs: dict[str, list[History]] = {}
        self.dropped: dict[str, float] = {}

    async def drive(self, arm: str, load: Load) -> None:
        """One round of one arm, until its last call has ended."""
        self._mode.write_text(arm if arm in FAULTS else HEALTHY, encoding="ascii")
        before = lost(await self._admin.metrics())
        calls = plan(load, arm)
        async with self._stage.load(self._driver, PATH, calls, f"{arm} {load.prefix}") as running:
            pass
        self.runs.setdefault(arm, []).append(running.history)
        now = lost(await self._admin.metrics())
        self.dropped[arm] = self.dropped.get(arm, 0.0) + now - before


def lost(samples: Samples) -> float:
    """Traces that were dropped, except for those that the bound per second left out."""
    return sum(sample(samples, DROPPED, signal="traces", reason=reason) for reason in _REASONS[:2])


def measured(
    runs: Mapping[str, Sequence[History]],
    dropped: Mapping[str, float],
    memory: MemoryWatch,
    executions: list[Execution],
) -> Measured:
    """Every bar of every arm."""
    made = Measured()
    for arm in FAULTS:
        made.bars += arm_bars(arm, runs[arm], runs[HEALTHY], dropped[arm])
    for arm, histories in runs.items():
        made.figures[arm] = _figures(merged(histories), dropped[arm])
    note = f"from {memory.first_mib:.1f} MiB after the warm-up"
    made.bars.append(
        Bar("all", "memory growth", memory.growth_mib, "<=", RSS_GROWTH_MIB, "MiB", note)
    )
    everything = merged(history for histories in runs.values() for history in histories)
    made.bars += ledger_bars("all", check(everything, executions, by_nonce))
    made.driver_lag_ms = max(driver_lag_ms(merged(histories)) for histories in runs.values())
    made.summary = "; ".join(
        f"{bar.variant}: {bar.name} {bar.figure:.4g}" for bar in made.bars if bar.variant != "all"
    )
    return made


def arm_bars(
    arm: str, faulty: Sequence[History], healthy: Sequence[History], dropped: float
) -> list[Bar]:
    """No failed call, no slower one, and telemetry that was lost is counted."""
    whole = merged(faulty)
    ratios = [
        truediv(latency_ms(bad, 0.99), latency_ms(good, 0.99))
        for bad, good in zip(faulty, healthy, strict=True)
    ]
    growths_ms = [
        sub(own_share_ms(bad, 0.99), own_share_ms(good, 0.99))
        for bad, good in zip(faulty, healthy, strict=True)
    ]
    note = f"median of {len(faulty)} pairs of arms, {len(faulty[0])} samples in each arm"
    success = share_of(whole.count(succeeded), len(whole))
    bars = [
        Bar(arm, "calls that succeeded", success, "=", 100.0, "%", f"{len(whole)} calls"),
        Bar(arm, "p99 to healthy", median(ratios), "<=", P99_RATIO_MAX, "x", note),
        Bar(
            arm,
            "growth of our share p99",
            median(growths_ms),
            "<=",
            OWN_SHARE_GROWTH_MS,
            "ms",
            note,
        ),
    ]
    if arm != FLOODS:  # such a collector takes what it is sent, before it answers without end
        bars.append(Bar(arm, "traces counted as lost", dropped, ">=", 1))
    return bars


def _figures(history: History, dropped: float) -> dict[str, Figure]:
    return {
        "calls": len(history),
        "p50, ms": latency_ms(history, 0.5),
        "p99, ms": latency_ms(history, 0.99),
        "our share p50, ms": own_share_ms(history, 0.5),
        "our share p99, ms": own_share_ms(history, 0.99),
        "not succeeded for": reasons(history),
        "traces lost": dropped,
    }


INC_20 = Replay("INC-20", "Monitoring that breaks must not break payments", 1.0, play)
