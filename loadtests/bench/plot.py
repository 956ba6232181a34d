"""A picture of one run: calls/s by connections, and what each subject adds at 500 calls/s.

matplotlib is in the `bench` extra only, so it is looked up when a plot is wanted.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from typing import Any

from loadtests.bench import judge
from loadtests.bench.report import Setting
from loadtests.bench.results import Run

COLOURS = {
    "tidegate": "#0b6e99",
    "envoy": "#d1842c",
    "tidegate-traced": "#6db3cf",
    "envoy-traced": "#e8bd8a",
    "haproxy": "#7a7a7a",
    "nginx": "#a9a9a9",
    "aiohttp": "#b65555",
}
SIZE_INCHES = (11, 4.5)
DOTS_PER_INCH = 130


def missing(run: Run) -> str | None:
    """Why no plot can be drawn of a run, or None."""
    if not any(name != judge.DIRECT for name in run.subjects()):
        return "it shows calls without keys, and none were measured"
    if importlib.util.find_spec("matplotlib") is None:
        return "matplotlib is not installed: pip install matplotlib (the bench extra)"
    return None


def draw(run: Run, setting: Setting, path: Path) -> None:
    """Write a PNG. Direct is left out of the left half: its bars would dwarf the others."""
    importlib.import_module("matplotlib").use("Agg")
    pyplot: Any = importlib.import_module("matplotlib.pyplot")
    figure, (left, right) = pyplot.subplots(1, 2, figsize=SIZE_INCHES, layout="constrained")
    names = [name for name in run.subjects() if name != judge.DIRECT]
    _throughput(left, run, setting, names)
    _added(right, run, setting, names)
    doubt = "" if not judge.invalid_reasons(run) else " - RUN INVALID"
    kind = "quick run, no evidence" if setting.quick else f"{setting.plan.rounds} rounds"
    figure.suptitle(f"One core, POST 250 bytes, answer 300 bytes ({kind}){doubt}")
    figure.savefig(path, dpi=DOTS_PER_INCH)
    pyplot.close(figure)


def _throughput(axes: Any, run: Run, setting: Setting, names: list[str]) -> None:
    """Grouped bars with the extremes of the rounds as whiskers."""
    levels = setting.plan.levels
    width = 0.8 / max(len(names), 1)
    for place, name in enumerate(names):
        spreads = [judge.over_rounds(run, name, judge.throughput(level)) for level in levels]
        known = [(i, one) for i, one in enumerate(spreads) if one is not None]
        axes.bar(
            [i + place * width - 0.4 + width / 2 for i, _ in known],
            [one.median for _, one in known],
            width,
            yerr=[
                [one.median - one.least for _, one in known],
                [one.most - one.median for _, one in known],
            ],
            label=name,
            color=COLOURS[name],
            error_kw={"elinewidth": 0.8},
        )
    axes.set_xticks(range(len(levels)), [str(level) for level in levels])
    axes.set_xlabel("connections, closed loop")
    axes.set_ylabel("calls/s (median; least and most)")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.legend(frameon=False)
    axes.spines[["top", "right"]].set_visible(False)


def _added(axes: Any, run: Run, setting: Setting, names: list[str]) -> None:
    """Added p50 and p99, with the promised limits as lines."""
    limits = {bar.name: bar.limit for bar in judge.bars(run)}
    for shift, label, take, shade in (
        (-0.2, "p50", judge.open_p50_us, 1.0),
        (0.2, "p99", judge.open_p99_us, 0.5),
    ):
        values = [judge.added_us(run, name, take) for name in names]
        drawn = axes.bar(
            [i + shift for i in range(len(names))],
            [value or 0.0 for value in values],
            0.4,
            color=[COLOURS[name] for name in names],
            alpha=shade,
        )
        texts = ["-" if value is None else f"{label} {value:,.0f}" for value in values]
        axes.bar_label(
            drawn, texts, fontsize=7, padding=2, bbox={"facecolor": "white", "lw": 0, "pad": 0.5}
        )
        limit = limits[f"added_{label}_us"]
        axes.axhline(limit, color="black", linewidth=0.8, linestyle="--")
        axes.text(len(names) - 0.5, limit, f"{label} limit", fontsize=7, va="bottom", ha="right")
    axes.set_xticks(range(len(names)), names, rotation=20, ha="right")
    axes.set_ylabel(f"added to direct at {setting.plan.open_calls_per_s} calls/s, us")
    axes.spines[["top", "right"]].set_visible(False)
