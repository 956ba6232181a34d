"""The run as JSON and as a table for people.

JSON, schema 1: `started`, `quick`, `calls_per_s`, `window_s`, `machine`, `version`, `valid`,
`invalid_reasons`, `arms` (p50, p99 and p99.9 in all and of our own share), `windows` (in order),
`ratio`, `own_growth_ms`, `viewers_cpu_ms_per_s`, `bars`. A figure with bounds has `value`, `low`
and `high` (95 %).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from loadtests.bench.report_parts import number, table
from loadtests.bench.stats import percentile
from loadtests.viewers import judge
from loadtests.viewers.results import Played, Visit

SCHEMA = 1
ARMS = {"without viewers": False, "with 10 viewers": True}


@dataclass(frozen=True, slots=True)
class Setting:
    """What the figures were taken under."""

    started: str
    quick: bool
    calls_per_s: float
    window_s: float
    machine: dict[str, object]


def to_json(played: Played, setting: Setting) -> dict[str, object]:
    """The whole run as plain data."""
    reasons = judge.invalid_reasons(played, quick=setting.quick)
    figures = {
        "ratio": judge.ratio(played),
        "own_growth_ms": judge.own_growth_ms(played),
        "viewers_cpu_ms_per_s": judge.viewers_cpu_ms(played),
    }
    return {
        "schema": SCHEMA,
        **asdict(setting),
        "version": played.version,
        "valid": not reasons,
        "invalid_reasons": reasons,
        "arms": {name: _arm(played.arm(watched=watched)) for name, watched in ARMS.items()},
        "windows": [_window(each) for each in played.visits],
        **{name: asdict(figure) if figure else None for name, figure in figures.items()},
        "bars": [{**asdict(bar), "verdict": bar.verdict} for bar in judge.bars(played)],
    }


def _arm(visits: Sequence[Visit]) -> dict[str, Any] | None:
    """All calls of an arm."""
    whole = judge.pooled(visits)
    if not whole.took_us:
        return None
    found: dict[str, Any] = {"calls": len(whole.took_us)}
    for name, samples in (("took", whole.took_us), ("own", whole.own_us)):
        found |= {
            f"{name}_p50_ms": percentile(samples, 0.5) / 1000,
            f"{name}_p99_ms": asdict(judge.p99_ms(samples)),
            f"{name}_p999_ms": percentile(samples, 0.999) / 1000,
        }
    return found


def _window(visit: Visit) -> dict[str, object]:
    return {
        "pair": visit.pair,
        "watched": visit.watched,
        "figures": _arm([visit]),
        "lag_p99_us": visit.window.lag_p99_us if visit.window else None,
        "sidecar_cpu_s": visit.sidecar_cpu_s,
        "seconds": visit.seconds,
        "foreign_share": visit.foreign_share,
        "audience": asdict(visit.audience) if visit.audience else None,
        "problems": visit.problems,
    }


def to_text(played: Played, setting: Setting) -> str:
    """Arms, what viewers saw, the difference with its bounds, bars, validity."""
    head = ["", "calls", "p50", "p99 (95 %)", "own p50", "own p99 (95 %)", "own p99.9"]
    rows = []
    for name, watched in ARMS.items():
        found = _arm(played.arm(watched=watched))
        if found:
            rows.append([
                name, f"{found['calls']:,}", number(found["took_p50_ms"], 1),
                _bounded(judge.Estimate(**found["took_p99_ms"]), 1),
                number(found["own_p50_ms"], 2),
                _bounded(judge.Estimate(**found["own_p99_ms"]), 2),
                number(found["own_p999_ms"], 2),
            ])  # fmt: skip
    differences = [
        ["p99, x without", _bounded(judge.ratio(played), 3)],
        ["growth of own p99, ms", _bounded(judge.own_growth_ms(played), 3)],
        ["CPU for viewers, ms in each second", _bounded(judge.viewers_cpu_ms(played), 1)],
    ]
    parts = [
        f"{setting.calls_per_s:.0f} calls/s, open loop; ms, own is what the partner did not take",
        table(head, rows),
        f"Median of {len(played.pairs())} pairs (95 %)",
        table(["", ""], differences).strip("\n"),
        *_seen(played),
        "Bars",
        table(["", "figure", "limit", ""], [
            [bar.text, number(bar.value, 3), f"<= {bar.limit:g}", bar.verdict]
            for bar in judge.bars(played)
        ]),
        _validity(played, setting),
    ]  # fmt: skip
    if setting.quick:
        parts.append("A quick run shows that it works; its figures are no evidence.")
    return "\n\n".join(parts)


def _seen(played: Played) -> list[str]:
    """What viewers saw, the least of all windows."""
    found = [each.audience for each in played.arm(watched=True) if each.audience]
    if not found:
        return []
    seconds = sum(each.seconds for each in found)
    share = 1 / seconds
    return [
        "What each viewer got, the least of all",
        table(["slices", "beats/s", "changed rows/s", "kB/s", "longest silence, s"], [[
            f"{min(each.slices for each in found):,}",
            number(share * sum(each.beats for each in found), 2),
            number(share * sum(each.changes for each in found), 0),
            number(share * sum(each.bytes / each.viewers for each in found) / 1000, 0),
            number(max(each.beat_gap_s for each in found), 1),
        ]]),
    ]  # fmt: skip


def _validity(played: Played, setting: Setting) -> str:
    reasons = judge.invalid_reasons(played, quick=setting.quick)
    if not reasons:
        return "Run valid: all calls answered, all viewers live, the machine quiet."
    return "RUN INVALID, its figures do not count:\n" + "\n".join(f"- {why}" for why in reasons)


def _bounded(figure: judge.Estimate | None, digits: int) -> str:
    if figure is None:
        return "-"
    low, high = number(figure.low, digits), number(figure.high, digits)
    return f"{number(figure.value, digits)} ({low} to {high})"
