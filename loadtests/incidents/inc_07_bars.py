"""What INC-07 promises, and what happened in it. PURE."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

from loadtests.incidents.figures import driver_lag_ms, in_doubt, latency_ms, reasons, succeeded
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.result import Bar, Figure
from loadtests.incidents.run import Run
from loadtests.incidents.stats import share_of

FOUND_MAX_S = 60.0
FORCED_MAX_S = 1.0
PROVEN_WITHIN_S = 45.0


@dataclass(slots=True)
class Story:
    """What happened, and when; instants are monotonic."""

    dead_at: float = math.nan
    """The standby; everything from here on."""
    found: dict[str, float] = field(default_factory=dict)
    """What `/findings` says of the standby, and seconds after its death when it first did."""
    forced_at: float = math.nan
    """The order was on its way."""
    release_at: float = math.nan
    """The command to release it began; it is over at `released_at`."""
    released_at: float = math.nan
    command_s: float = math.nan
    """What `tidegate route release` took as a whole."""
    dated: bool = False
    """The order was listed with its reason and the instant, and stood in the metrics."""
    sampled_at: float = math.nan
    """Before the primary's idle connections were counted."""
    idle: int = 0
    gone_at: float = math.nan
    """The primary: ordered; it is confirmed at `gone_by`."""
    gone_by: float = math.nan
    back_at: float = math.nan


def met(history: History, story: Story) -> History:
    """Calls begun while the primary was gone that were not sent there."""
    return history.where(
        lambda record: (
            story.gone_at <= record.scheduled_at < story.back_at
            and (record.upstream == "standby" or record.outcome in ("unsent", "refused"))
        )
    )


def forced_s(history: History, story: Story) -> float:
    """Seconds from the order to the last call that was begun and went to the primary all the same.

    NaN if no call went to the standby afterwards: then the order was not in effect.
    """
    under = history.where(lambda record: story.forced_at <= record.taken_at < story.release_at)
    if not under.count(lambda record: record.upstream == "standby"):
        return math.nan
    late = [r.taken_at - story.forced_at for r in under.records if r.upstream != "standby"]
    return max(late, default=0.0)


def bars(run: Run, kind: str, history: History, story: Story) -> list[Bar]:
    """What the incident promises of one variant, beside the bars of the ledgers."""
    moved = met(history, story)
    first = moved.records[:1]
    doubts_max = history.in_flight(story.sampled_at, story.gone_by) + story.idle
    undisturbed = history.begun(story.dead_at).where(lambda r: r.ended_at < story.sampled_at)
    found_max_s = run.scaled(FOUND_MAX_S)
    return [
        Bar(kind, "dead standby found", found_s(story), "<=", found_max_s, "s",
            "first finding that names it, the primary healthy"),
        Bar(kind, "standby not proven is told", _said_s(story, "not_proven"), "<=", found_max_s,
            "s", f"proven_within {run.scaled(PROVEN_WITHIN_S):g} s, from the last proof on"),
        Bar(kind, "payments' success meanwhile", share_of(undisturbed.count(succeeded),
            len(undisturbed)), "=", 100.0, "%", f"{len(undisturbed)} calls, the force among it"),
        Bar(kind, "forced route in effect", forced_s(history, story), "<=", FORCED_MAX_S, "s",
            "from the order to the last call that went elsewhere"),
        Bar(kind, "the word is seen and dated", float(story.dated), "=", 1.0),
        Bar(kind, "the first call that met the failure moved", float(sum(map(succeeded, first))),
            "=", 1.0, note="latency " + "".join(f"{1000 * r.latency_s:.0f} ms" for r in first)),
        Bar(kind, "unsent calls that succeeded by failover",
            share_of(moved.count(succeeded), len(moved)), "=", 100.0, "%", f"{len(moved)} calls"),
        Bar(kind, "in doubt", history.count(in_doubt), "<=", doubts_max,
            note=f"calls in flight + {story.idle} idle connections at the fault"),
    ]  # fmt: skip


def found_s(story: Story) -> float:
    """Seconds from the standby's death to the first finding that names it."""
    return min(story.found.values(), default=math.nan)


def _said_s(story: Story, what: str) -> float:
    return min((s for said, s in story.found.items() if what in said), default=math.nan)


def figures(history: History, story: Story) -> dict[str, Figure]:
    """What was measured besides."""
    gone = history.begun(story.gone_at, story.back_at)
    after = [r.taken_at for r in history.begun(story.released_at).records if _at_primary(r)]
    return {
        "calls": len(history),
        "p50 before, ms": latency_ms(history.begun(0.0, story.gone_at), 0.5),
        "p99 while the primary is gone, ms": latency_ms(gone, 0.99),
        "not succeeded for": reasons(history),
        "route release, the command, s": story.command_s,
        "first call at the primary after the release, s": (
            min(after, default=math.nan) - story.released_at
        ),
        "driver's own lag p99, ms": driver_lag_ms(history),
        **{f"found {said}, s": seconds for said, seconds in story.found.items()},
    }


def _at_primary(record: CallRecord) -> bool:
    return record.upstream == "primary" and record.succeeded
