"""INC-06, best effort: a third party that matters little becomes slow beside payments.

A tracker is told of each checkout. It slows down to several seconds; whoever
calls it must have a reply within the budget all the same, and payments must not
notice at all. Arms with and without the fault alternate on the same processes with
the same references, as in INC-04. Envoy, and a plain client with one session for all
its partners, go through the same; they have figures and no bars.
"""

from __future__ import annotations

import math
from operator import truediv
from typing import Any

from loadtests.incidents.arms import ENVOY, PLAIN, TIDEGATE
from loadtests.incidents.checker import by_nonce, check
from loadtests.incidents.figures import driver_lag_ms, latency_ms, reasons, succeeded
from loadtests.incidents.history import CallRecord, History, merged
from loadtests.incidents.inc_06_arms import (
    BUDGET_MS,
    GIVE_UP_S,
    HEALTHY,
    PAY,
    SLOW,
    TRACK,
    Arms,
    arm_s,
    partners,
    play_envoy,
    play_plain,
    row,
)
from loadtests.incidents.result import Bar, Figure, ledger_bars
from loadtests.incidents.run import Measured, Replay, Run
from loadtests.incidents.stage import Stage
from loadtests.incidents.stats import median, percentile, share_of

ROUNDS = 3
WARM_S = 2.0
GRACE_MS = 10.0
P99_RATIO_MAX = 1.2
STAND_INS_MIN = 95.0
REPLY = 202


async def play(run: Run) -> Measured:
    """The sidecar's application with its bars, then the others on partners of their own."""
    measured = Measured()
    async with Stage(run.directory / "sidecar", run.progress) as stage:
        acquirer, tracker = await partners(stage)
        sidecar = await stage.sidecar(configuration(acquirer.url, tracker.url))
        url = sidecar.payments_url
        arms = Arms(
            stage,
            await stage.driver(url, give_up_s=GIVE_UP_S),
            await stage.driver(url, give_up_s=GIVE_UP_S),
            PAY,
            TRACK,
        )
        await arms.drive("warm-up", "warm", WARM_S)
        for number in range(1, ROUNDS + 1):
            await arms.both(tracker, f"round-{number}", arm_s(run))
        findings = check(merged(_all(arms.payments)), stage.executions(), by_nonce)
    measured.bars += track_bars(merged(arms.tracks[SLOW]))
    measured.bars += payment_bars(arms.payments[SLOW], arms.payments[HEALTHY])
    measured.bars += ledger_bars("all", findings)
    measured.figures |= _figures("sidecar", arms)
    measured.driver_lag_ms = max(driver_lag_ms(merged(each)) for each in arms.payments.values())
    envoy, plain = await play_envoy(run), await play_plain(run)
    measured.figures |= _figures(ENVOY, envoy) | _figures(PLAIN, plain)
    every = {TIDEGATE: arms, ENVOY: envoy, PLAIN: plain}
    measured.arms = [row(name, each) for name, each in every.items()]
    measured.summary = _summary(arms, plain, findings.dup)
    return measured


def configuration(acquirer_url: str, tracker_url: str) -> dict[str, Any]:
    """Payments, and best effort with everything at its default but the reply's status."""
    return {
        "version": 1,
        "listen": {"address": "127.0.0.1:0", "timeout_drain": "1s"},
        "admin": {"address": "127.0.0.1:0"},
        "partners": {
            "acquirer": {"upstreams": {"only": {"url": acquirer_url}}},
            "tracker": {
                "operations": {"other": {"money": False}},
                "upstreams": {"third": {"url": tracker_url}},
            },
        },
        "routes": [
            {
                "name": "payments",
                "match": {"path": "/psp/"},
                "strip_prefix": True,
                "operation": "authorize",
                "candidates": ["only"],
            },
            {
                "name": "tracking",
                "match": {"path": "/track/"},
                "strip_prefix": True,
                "operation": "other",
                "candidates": ["third"],
                "best_effort": {"reply": {"status": REPLY}},
            },
        ],
    }


def track_bars(slow: History) -> list[Bar]:
    """Whoever calls the slow tracker has a reply, in time, and it is not passed off as its own."""
    told = slow.count(lambda record: record.status != 0)
    stand_ins = share_of(slow.count(_is_stand_in), len(slow))
    calls = f"{len(slow)} calls"
    return [
        Bar(SLOW, "callers answered", share_of(told, len(slow)), "=", 100.0, "%", calls),
        Bar(SLOW, "replies that stood in", stand_ins, ">=", STAND_INS_MIN, "%", calls),
        Bar(
            SLOW,
            "caller's p99.9",
            _answer_ms(slow, 0.999),
            "<=",
            BUDGET_MS + GRACE_MS,
            "ms",
            f"budget + {GRACE_MS:g} ms; {len(slow)} samples",
        ),
    ]


def payment_bars(slow: list[History], healthy: list[History]) -> list[Bar]:
    """Payments, round by round against the healthy arm with the same references."""
    every = merged(slow)
    ratios = [
        truediv(latency_ms(one, 0.99), latency_ms(other, 0.99))
        for one, other in zip(slow, healthy, strict=True)
    ]
    note = f"median of {len(slow)} pairs of arms, {len(slow[0])} samples in each arm"
    success = share_of(every.count(succeeded), len(every))
    return [
        Bar(SLOW, "payments' success", success, "=", 100.0, "%", f"{len(every)} payments"),
        Bar(SLOW, "payments' p99 to healthy", median(ratios), "<=", P99_RATIO_MAX, "x", note),
    ]


def _is_stand_in(record: CallRecord) -> bool:
    return record.outcome == "substituted" and record.status == REPLY


def _answer_ms(history: History, share: float) -> float:
    """From when the driver got to the call: a budget can count from nowhere else."""
    return 1000 * percentile([record.answer_s for record in history.records], share)


def _all(by_arm: dict[str, list[History]]) -> list[History]:
    return [history for histories in by_arm.values() for history in histories]


def _figures(who: str, arms: Arms) -> dict[str, dict[str, Figure]]:
    return {f"{who}, {arm}": _figures_of(arms, arm) for arm in (HEALTHY, SLOW)}


def _figures_of(arms: Arms, arm: str) -> dict[str, Figure]:
    payments, tracks = merged(arms.payments[arm]), merged(arms.tracks[arm])
    paid = payments.count(lambda record: 200 <= record.status < 300)
    return {
        "payments": len(payments),
        "payments done, %": share_of(paid, len(payments)),
        "payments' p50, ms": latency_ms(payments, 0.5),
        "payments' p99, ms": latency_ms(payments, 0.99),
        "calls to the tracker": len(tracks),
        "caller's p50, ms": _answer_ms(tracks, 0.5),
        "caller's p99, ms": _answer_ms(tracks, 0.99),
        "caller's p99.9, ms": _answer_ms(tracks, 0.999),
        "replies that stood in": tracks.count(_is_stand_in),
        "tracker not answered for": reasons(tracks.where(lambda r: not 200 <= r.status < 300)),
        "driver's own lag p99, ms": driver_lag_ms(payments),
    }


def _summary(arms: Arms, plain: Arms, dup: int) -> str:
    def told(who: str, which: Arms) -> str:
        caller_ms = _answer_ms(merged(which.tracks[SLOW]), 0.999)
        pairs = [merged(which.payments[arm]) for arm in (SLOW, HEALTHY)]
        slow_ms, healthy_ms = (latency_ms(each, 0.99) for each in pairs)
        ratio = slow_ms / healthy_ms if healthy_ms else math.nan
        return f"{who}: caller's p99.9 {caller_ms:.0f} ms, payments' p99 {ratio:.3g} x"

    return f"{told('sidecar', arms)}; {told(PLAIN, plain)}; dup {dup}"


INC_06 = Replay("INC-06", "A third party that matters little becomes slow", 1.0, play)
