"""The figures that replays have in common, taken from a history. PURE."""

from __future__ import annotations

import math
from collections import Counter

from loadtests.incidents.history import CallRecord, Ending, History
from loadtests.incidents.stats import percentile


def succeeded(record: CallRecord) -> bool:
    """The payment went through and the application knows."""
    return record.succeeded


def in_doubt(record: CallRecord) -> bool:
    """Nobody can tell the application what became of the payment."""
    return record.ending is Ending.INFO


def goodput_per_s(history: History) -> float:
    """Successes per second of the schedule's time."""
    if len(history) < 2:
        return math.nan
    seconds = history.records[-1].scheduled_at - history.records[0].scheduled_at
    return history.count(succeeded) / seconds


def latency_ms(history: History, share: float) -> float:
    """A percentile of the latency, counted from the scheduled instant."""
    return 1000 * percentile(history.latencies_s(), share)


def own_share_ms(history: History, share: float) -> float:
    """A percentile of what the sidecar took, over the calls that succeeded."""
    answered = history.where(succeeded).records
    return 1000 * percentile([record.own_share_s for record in answered], share)


def driver_lag_ms(history: History) -> float:
    """How late the driver itself got to its calls, p99: what the machine did to the measurement."""
    return 1000 * percentile([r.taken_at - r.scheduled_at for r in history.records], 0.99)


def reasons(history: History) -> str:
    """Why calls did not succeed, the most frequent first; `-` if all did."""
    failed = history.where(lambda record: not record.succeeded).records
    counted = Counter(r.reason or r.error or f"status {r.status}" for r in failed)
    return ", ".join(f"{reason} {count}" for reason, count in counted.most_common()) or "-"
