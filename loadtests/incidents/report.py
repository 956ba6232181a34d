"""The table of bars that a person reads. PURE: text from results."""

from __future__ import annotations

from collections.abc import Sequence

from loadtests.incidents import arms
from loadtests.incidents.result import Bar, Figure, Result

DRIVER_LAG_MS_MAX = 5.0
"""Above it latencies say more about the machine than about the sidecar; idle it is below 1 ms."""

_HEADINGS = ("part", "bar", "measured", "promised", "", "on what it rests")


def table(result: Result) -> str:
    """One replay's bars and figures, ended by the line that names its verdict."""
    head = f"{result.id}  {result.title}"
    scaled = f"intervals x {result.factor:g}, " if result.factor != 1.0 else ""
    lines = ["", f"{head}  ({scaled}{result.seconds:.1f} s)"]
    if result.bars:
        lines += _columns([_HEADINGS, *map(_bar_row, result.bars)])
    if result.arms:
        lines += ["", "  the same story for all arms:", *_columns(arms.table(result.arms))]
    for variant, figures in result.figures.items():
        lines += ["", f"  besides, {variant}:"]
        lines += _columns([(name, _number(figure)) for name, figure in figures.items()])
    return "\n".join([*lines, "", verdict(result)])


def verdict(result: Result) -> str:
    """`INC-08 pass: figures`, the last line of a replay."""
    if result.error:
        word = "refused" if result.refused else "fail"
        return f"{result.id} {word}: {result.error.splitlines()[0]}"
    missed = [
        f"{bar.variant} {bar.name} {_number(bar.figure)}" for bar in result.bars if not bar.held
    ]
    if missed:
        return f"{result.id} fail: {'; '.join(missed)}{_excuse(result)}"
    return f"{result.id} {'pass' if result.held else 'fail'}: {result.summary}"


def _excuse(result: Result) -> str:
    """A busy machine spoils latencies; whoever reads a miss should know, and play it again."""
    if result.driver_lag_ms <= DRIVER_LAG_MS_MAX:
        return ""
    return f" (the machine was busy: the driver's own lag p99 {result.driver_lag_ms:.0f} ms)"


def _bar_row(bar: Bar) -> tuple[str, ...]:
    figure = f"{_number(bar.figure)} {bar.unit}".strip()
    limit = f"{bar.relation} {_number(bar.limit)} {bar.unit}".strip()
    return (bar.variant, bar.name, figure, limit, "held" if bar.held else "MISSED", bar.note)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return [
        (
            "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _number(figure: Figure) -> str:
    """At most four significant digits, and no exponent."""
    if isinstance(figure, str):
        return figure
    if isinstance(figure, int) or figure != figure:
        return str(figure)
    if abs(figure) >= 1000 or figure == int(figure):
        return f"{figure:.0f}"
    return f"{figure:.4g}"
