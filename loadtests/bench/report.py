"""The run as JSON with a stable schema, and as tables for people.

JSON, schema 1: `started`, `quick`, `plan`, `machine`, `versions`, `absent`, `valid`, `keyed`,
`invalid_reasons`, `subjects` (per subject: `closed` by connections, `open`, memory, `ready_s`),
`ratios` (tidegate to each peer by connections, and those with telemetry), `bars`. Every figure
taken over rounds is an object of `median`, `least`, `most` and `rounds`; `added_…` and ratios
are medians of pairs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import median

from loadtests.bench import judge
from loadtests.bench.measure import Plan
from loadtests.bench.report_parts import (
    exported_text,
    keyed_json,
    keyed_text,
    number,
    table,
    thousands,
)
from loadtests.bench.results import Run, Visit
from loadtests.bench.stats import spread

SCHEMA = 1
PEERS = ("envoy", "aiohttp", "haproxy", "nginx")
TRACED = (
    ("tidegate-traced", "envoy-traced"),
    ("tidegate-traced", "tidegate"),
    ("envoy-traced", "envoy"),
)
"""What telemetry takes of each stands beside what they come to with it."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the figures were taken under."""

    started: str
    quick: bool
    plan: Plan
    machine: dict[str, object]


def to_json(run: Run, setting: Setting) -> dict[str, object]:
    """The whole run as plain data."""
    reasons = judge.invalid_reasons(run)
    return {
        "schema": SCHEMA,
        **asdict(setting),
        "versions": run.versions,
        "absent": run.absent,
        "valid": not reasons,
        "invalid_reasons": reasons,
        "subjects": {name: _subject(run, name, setting.plan) for name in run.subjects()},
        "ratios": ratios(run, setting.plan.levels),
        "keyed": keyed_json(run),
        "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in judge.bars(run)],
    }


def ratios(run: Run, levels: Sequence[int]) -> dict[str, dict[str, float | None]]:
    """Calls/s of one as a multiple of another's, by connections: Tidegate's to each measured
    peer's first.
    """
    pairs = [*((judge.TIDEGATE, peer) for peer in PEERS), *TRACED]
    return {
        f"{one}/{other}": {str(level): judge.ratio(run, one, other, level) for level in levels}
        for one, other in pairs
        if run.of(one) and run.of(other)
    }


def _subject(run: Run, name: str, plan: Plan) -> dict[str, object]:
    """All figures of one subject."""

    def figure(take: judge.Figure) -> dict[str, object] | None:
        taken = judge.over_rounds(run, name, take)
        return asdict(taken) if taken else None

    ready = run.ready_s.get(name)
    return {
        "closed": {str(level): _level(run.of(name), level) for level in plan.levels},
        "open": {
            "calls_per_s": plan.open_calls_per_s,
            "p50_us": figure(judge.open_p50_us),
            "p99_us": figure(judge.open_p99_us),
            "added_p50_us": judge.added_us(run, name, judge.open_p50_us),
            "added_p99_us": judge.added_us(run, name, judge.open_p99_us),
            "lag_p99_us": figure(lambda visit: visit.opened.lag_p99_us if visit.opened else None),
        },
        "foreign_share": figure(judge.foreign_share),
        "rss_idle_mb": figure(judge.rss_idle_mb),
        "rss_loaded_mb": figure(judge.rss_loaded_mb),
        "ready_s": asdict(spread(ready)) if ready else None,
        "exported": [asdict(visit.exported) for visit in run.of(name) if visit.exported],
    }


def _level(visits: Sequence[Visit], level: int) -> dict[str, object]:
    """One number of connections in the closed loop."""
    rounds = [visit.closed[level] for visit in visits if level in visit.closed]
    return {
        "calls_per_s": asdict(spread([closed.calls_per_s for closed in rounds])),
        "p50_us": asdict(spread([closed.p50_us for closed in rounds])),
        "p99_us": asdict(spread([closed.p99_us for closed in rounds])),
    }


def to_text(run: Run, setting: Setting) -> str:
    """Tables: throughput, latency and memory, ratios, bars, validity."""
    levels = setting.plan.levels
    parts = [
        f"Calls/s, closed loop: median of {setting.plan.rounds} rounds (least-most)",
        table(["connections", *map(str, levels)], _throughput_rows(run, levels)),
        f"Open loop at {setting.plan.open_calls_per_s} calls/s (us), memory (MB), start (s)",
        table(
            [
                "",
                "p50",
                "p99",
                "added p50",
                "added p99",
                "RSS idle",
                "RSS loaded",
                "ready",
                "others' CPU",
            ],
            [_quality_row(run, name) for name in run.subjects()],
        ),
        "Ratios of calls/s: median of the rounds' own ratios",
        table(
            ["connections", *map(str, levels)],
            [
                [name, *(number(value, 2) for value in row.values())]
                for name, row in ratios(run, levels).items()
            ],
        ),
        *exported_text(run),
        *keyed_text(run),
        "Bars",
        table(["", "figure", "limit", ""], [_bar_row(bar) for bar in judge.bars(run)]),
        *(f"absent: {name}: {why}" for name, why in run.absent.items()),
        _validity(run),
    ]
    if setting.quick:
        parts.append("A quick run shows that the bench works; its figures are no evidence.")
    return "\n\n".join(parts)


def _throughput_rows(run: Run, levels: Sequence[int]) -> list[list[str]]:
    rows = []
    for name in run.subjects():
        spreads = [judge.over_rounds(run, name, judge.throughput(level)) for level in levels]
        rows.append([name, *(thousands(one) for one in spreads)])
    return rows


def _quality_row(run: Run, name: str) -> list[str]:
    def middle(take: judge.Figure, digits: int) -> str:
        taken = judge.over_rounds(run, name, take)
        return number(taken.median if taken else None, digits)

    ready = run.ready_s.get(name)
    itself = name == judge.DIRECT
    return [
        name,
        middle(judge.open_p50_us, 0),
        middle(judge.open_p99_us, 0),
        number(None if itself else judge.added_us(run, name, judge.open_p50_us), 0),
        number(None if itself else judge.added_us(run, name, judge.open_p99_us), 0),
        middle(judge.rss_idle_mb, 1),
        middle(judge.rss_loaded_mb, 1),
        number(median(ready) if ready else None, 3),
        middle(judge.foreign_share, 3),
    ]


def _bar_row(bar: judge.Bar) -> list[str]:
    relation = ">=" if bar.at_least else "<="
    return [bar.text, number(bar.value, 2), f"{relation} {bar.limit:g}", bar.verdict]


def _validity(run: Run) -> str:
    reasons = judge.invalid_reasons(run)
    if not reasons:
        return f"Run valid: direct >= {judge.HEADROOM:.0f} x every subject, no errors."
    return "RUN INVALID, its figures do not count:\n" + "\n".join(f"- {why}" for why in reasons)
