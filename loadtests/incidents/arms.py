"""Three applications through one story, as rows of one table. PURE.

An arm is a way to call partners: through the sidecar, through Envoy, or by a
plain client. Envoy and the plain client label nothing, so for all arms alike a
call succeeded where the partner's answer was a 2xx.

    goodput     successes that came while the fault lasted, per second
    dup         executions beyond one per payment, by the partners' ledgers
    found       seconds from the fault until the arm itself says so; `-`: it never did
    recovered   seconds from the fault's end to the last window of calls of which fewer
                than 95 % succeeded; `never`: that was the last window there is; `-`: the fault
                ended with the load
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from loadtests.incidents.checker import Execution, check
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.stats import share_of

TIDEGATE, ENVOY, PLAIN = "tidegate", "envoy", "plain client"
RECOVERED_SHARE = 95.0
_HEADINGS = ("part", "arm", "goodput, calls/s", "success", "dup", "found", "recovered")


@dataclass(slots=True)
class Played:
    """What one arm went through; instants are monotonic seconds."""

    arm: str
    history: History
    fault_at: float
    cleared_at: float = math.nan
    found_s: float = math.nan
    """When the arm itself first said that something is wrong, since the fault."""
    said: dict[str, float] = field(default_factory=dict)
    """Everything it said while the fault lasted, and the seconds after which it first did."""
    executions: list[Execution] = field(default_factory=list)
    requests: list[tuple[float, int]] = field(default_factory=list)
    """Instants, and how many requests all partners together had had by then."""

    @property
    def during(self) -> History:
        """The calls that were due while the fault lasted."""
        return self.history.begun(self.fault_at, self.cleared_at)

    @property
    def after(self) -> History:
        """The calls that were due once it was over."""
        return self.history.begun(self.cleared_at)

    @property
    def story(self) -> str:
        """What it said, in order of time."""
        told = sorted(self.said.items(), key=lambda item: item[1])
        return "; ".join(f"{what} after {seconds:.1f} s" for what, seconds in told) or "-"

    @property
    def dup(self) -> int:
        """Executions beyond one per payment."""
        return check(self.history, self.executions).dup


@dataclass(frozen=True, slots=True)
class ArmRow:
    """One arm's line of the table; a figure that is not there is NaN."""

    part: str
    arm: str
    goodput_per_s: float
    success_percent: float
    dup: int
    found_s: float
    recovered_s: float


def passed(record: CallRecord) -> bool:
    """The partner answered, and did what was asked."""
    return 200 <= record.status < 300


def row(part: str, played: Played, window_s: float) -> ArmRow:
    """The line of an arm; `window_s` is long enough for a share to mean something."""
    during = played.during
    return ArmRow(
        part,
        played.arm,
        ended_per_s(played.history, played.fault_at, played.cleared_at),
        share_of(during.count(passed), len(during)),
        played.dup,
        played.found_s,
        recovered_s(played.after, played.cleared_at, window_s),
    )


def ended_per_s(history: History, start: float, end: float) -> float:
    """Successes that came in [start, end), per second: what was behind then counts as behind."""
    return history.count(lambda r: passed(r) and start <= r.ended_at < end) / (end - start)


def recovered_s(after: History, cleared_at: float, window_s: float) -> float:
    """Since `cleared_at`, until the last window that was not well; infinity: that is the end."""
    records = after.records
    last_bad_at, oldest, good = cleared_at, 0, 0
    for newest, record in enumerate(records):
        good += passed(record)
        while records[oldest].scheduled_at <= record.scheduled_at - window_s:
            good -= passed(records[oldest])
            oldest += 1
        if share_of(good, newest + 1 - oldest) < RECOVERED_SHARE:
            last_bad_at = record.scheduled_at
    if not records:
        return math.nan
    if last_bad_at > records[-1].scheduled_at - window_s:
        return math.inf
    return last_bad_at - cleared_at


def peak_per_s(samples: Iterable[tuple[float, int]], since: float, window_s: float) -> float:
    """The highest rate over any window of about `window_s` that begins at `since` or later."""
    points = [(at, count) for at, count in samples if at >= since]
    peak, oldest = math.nan, 0
    for at, count in points:
        while points[oldest + 1][0] <= at - window_s if oldest + 1 < len(points) else False:
            oldest += 1
        begun_at, before = points[oldest]
        if at - begun_at >= window_s:
            rate = (count - before) / (at - begun_at)
            peak = rate if math.isnan(peak) else max(peak, rate)
    return peak


def table(rows: Iterable[ArmRow]) -> list[tuple[str, ...]]:
    """The rows as a person reads them, headings first."""
    return [_HEADINGS, *(_words(each) for each in rows)]


def _words(each: ArmRow) -> tuple[str, ...]:
    return (
        each.part,
        each.arm,
        f"{each.goodput_per_s:.1f}",
        f"{each.success_percent:.1f} %",
        str(each.dup),
        _seconds(each.found_s),
        _seconds(each.recovered_s),
    )


def _seconds(figure: float) -> str:
    if math.isnan(figure):
        return "-"
    return "never" if math.isinf(figure) else f"{figure:.2f} s"
