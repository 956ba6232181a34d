"""What INC-03 promises of the sidecar, and what the figures rest on. PURE."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from loadtests.incidents.dns_arm import MOVE_GRACE_S
from loadtests.incidents.dns_story import PARTS, Phase, Story, growth_ms, met, own_p99_ms, rate_of
from loadtests.incidents.dns_zone import TTL_S
from loadtests.incidents.figures import driver_lag_ms, latency_ms, succeeded
from loadtests.incidents.history import History, merged
from loadtests.incidents.result import Bar
from loadtests.incidents.stats import share_of
from tests.support.dns_answers import Query

RATE_PER_S = 200.0
P99_GROWTH_MS = 5.0
RECOVERY_S = 35.0
QUESTIONS_PER_TTL = 1.3
UNKNOWN_S = 1.0
CARRIED_LAG_MS = 20.0
CARRIED_P99_MS = 400.0


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a call to a name that must fail was told, and after how long."""

    seconds: float
    status: int
    reason: str
    origin: str

    @property
    def told(self) -> bool:
        """It failed, for a reason that has to do with DNS, and says so."""
        return self.status >= 400 and self.origin == "dns" and bool(self.reason)


@dataclass(slots=True)
class Extras:
    """What the sidecar's arm is asked besides its story."""

    verdicts: dict[str, float] = field(default_factory=dict)
    """Findings with origin dns about names that were broken, and when they were first seen."""
    unknown: list[Refusal] = field(default_factory=list)
    unheard: list[Refusal] = field(default_factory=list)
    """As `unknown`, while the name server is silent and always was."""
    forbidden: list[Refusal] = field(default_factory=list)
    trapped: int = 0
    """Connections to the address that no policy allows."""
    high: History = field(default_factory=History)
    high_rate_per_s: float = math.nan
    high_queries: list[Query] = field(default_factory=list)
    high_at: tuple[float, float] = (math.nan, math.nan)
    cold: History = field(default_factory=History)
    cold_listening_s: float = math.nan
    trials: list[History] = field(default_factory=list)


def refusal(seconds: float, status: int, body: bytes) -> Refusal:
    """What an answer says; one that is no problem has neither reason nor origin."""
    try:
        members = json.loads(body)
        return Refusal(seconds, status, str(members["reason"]), str(members["origin"]))
    except (ValueError, KeyError, TypeError):
        return Refusal(seconds, status, "", "")


def carried(trial: History) -> bool:
    """Whether the machine keeps up with this rate, so that more is not just a queue."""
    return (
        trial.count(succeeded) == len(trial)
        and driver_lag_ms(trial) <= CARRIED_LAG_MS
        and latency_ms(trial, 0.99) <= CARRIED_P99_MS
    )


def summary(bars: Sequence[Bar]) -> str:
    """The figures that matter most, in one line."""
    wanted = ("failed calls to known names", "fresh again after", "move followed after")
    told = [bar for bar in bars if bar.name in wanted or bar.name.startswith("dup")]
    return "; ".join(f"{bar.name} {bar.figure:.4g} {bar.unit}".strip() for bar in told)


def bars(story: Story, extras: Extras, *, quick: bool) -> list[Bar]:
    """What the incident promises of the sidecar, beside the ledgers and the move."""
    return [
        *_known_bars(story, extras),
        *[_growth_bar(story, phase, quick=quick) for phase in story.broken],
        *_question_bars(story, extras),
        *_refusal_bars("unknown name", extras.unknown),
        *_refusal_bars("unknown name in silence", extras.unheard),
        Bar("tidegate", "connections to a forbidden address", extras.trapped, "=", 0),
        _told_bar("forbidden address", extras.forbidden),
    ]


def _known_bars(story: Story, extras: Extras) -> list[Bar]:
    known = merged([story.history, story.moving, extras.high])
    failed, cold_failed = (h.count(lambda r: not r.succeeded) for h in (known, extras.cold))
    asked, wanted = met(story)
    first_fault_at = story.broken[0].began_at
    verdicts = sum(at >= first_fault_at for at in extras.verdicts.values())
    return [
        Bar("tidegate", "failed calls to known names", _of(failed, known), "=", 0, "", _n(known)),
        Bar(
            "tidegate",
            "faults met by a question",
            asked,
            "=",
            wanted,
            "",
            "else they prove nothing",
        ),
        Bar("tidegate", "verdicts with origin dns", verdicts, ">=", 1, "", "while names are stale"),
        Bar("tidegate", "fresh again after", story.fresh_after_s, "<=", RECOVERY_S, "s"),
        Bar(
            "cold start in silence",
            "failed calls",
            _of(cold_failed, extras.cold),
            "=",
            0,
            "",
            f"{_n(extras.cold)}, from the first on",
        ),
    ]


def _of(failed: int, history: History) -> float:
    """Failures of no calls at all are no good news."""
    return failed if len(history) else math.nan


def _n(history: History) -> str:
    return f"{len(history)} calls"


def _growth_bar(story: Story, phase: Phase, *, quick: bool) -> Bar:
    """In the quick form with as much more as the healthy parts differ among themselves."""
    limit_ms = P99_GROWTH_MS
    note = f"median of {PARTS} parts, {_n(story.calls(phase))}"
    if quick:
        healthy_ms = own_p99_ms(story, story.healthy)
        noise_ms = max(healthy_ms) - min(healthy_ms)
        limit_ms += noise_ms
        note += f"; {P99_GROWTH_MS:g} ms + {noise_ms:.2f} ms by which healthy parts differ"
    growth = growth_ms(story, phase)
    return Bar(phase.name, "growth of our share p99", growth, "<=", limit_ms, "ms", note)


def _question_bars(story: Story, extras: Extras) -> list[Bar]:
    healthy = (story.healthy.began_at, story.healthy.ended_at)
    parts = (
        ("healthy", story.queries, healthy),
        (f"at {extras.high_rate_per_s:g} calls/s", extras.high_queries, extras.high_at),
    )
    note = "of the name that was asked for most"
    return [
        Bar(
            variant,
            f"{kind} questions per TTL",
            rate_of(queries, kind, *at),
            "<=",
            QUESTIONS_PER_TTL,
            "",
            note,
        )
        for variant, queries, at in parts
        for kind in ("A", "AAAA")
    ]


def _refusal_bars(name: str, refusals: Sequence[Refusal]) -> list[Bar]:
    slowest = max((refusal.seconds for refusal in refusals), default=math.nan)
    return [Bar(name, "slowest failure", slowest, "<=", UNKNOWN_S, "s"), _told_bar(name, refusals)]


def _told_bar(name: str, refusals: Sequence[Refusal]) -> Bar:
    """Every refusal says why, and that DNS it is."""
    told = share_of(sum(refusal.told for refusal in refusals), len(refusals))
    note = ", ".join(sorted({f"{r.status} {r.reason} {r.origin}" for r in refusals}))
    return Bar(name, "told the reason and origin dns", told, "=", 100.0, "%", note)


def moved_bar(seconds: float) -> Bar:
    """The partner's new address is followed soon after the old answer ran out."""
    limit_s = TTL_S + MOVE_GRACE_S
    return Bar(
        "tidegate", "move followed after", seconds, "<=", limit_s, "s", "effective TTL + 5 s"
    )
