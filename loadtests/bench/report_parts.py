"""Parts of the report: tables, keyed calls, and what arrived of telemetry."""

from __future__ import annotations

from dataclasses import asdict

from loadtests.bench import judge
from loadtests.bench.results import Run
from loadtests.bench.stats import Spread, spread


def table(head: list[str], rows: list[list[str]]) -> str:
    """Columns as wide as their longest cell; the first to the left, the others to the right."""
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    )


def thousands(figures: Spread | None) -> str:
    """Median and extremes as whole numbers."""
    if figures is None:
        return "-"
    return f"{figures.median:,.0f} ({figures.least:,.0f}-{figures.most:,.0f})"


def number(value: float | None, digits: int) -> str:
    """One figure; a dash for none."""
    return "-" if value is None else f"{value:,.{digits}f}"


def keyed_json(run: Run) -> dict[str, object]:
    """Keyed, journalled calls: by store and connections."""
    stores = dict.fromkeys(visit.store for visit in run.keyed)
    return {
        "fdatasync_p50_us": run.fdatasync_us,
        "fdatasync_rested_p50_us": run.rested_fdatasync_us,
        "stores": {store: _keyed_store(run, store) for store in stores},
    }


def _keyed_store(run: Run, store: str) -> dict[str, object]:
    visits = [visit for visit in run.keyed if visit.store == store]
    levels = sorted({level for visit in visits for level in visit.closed})
    return {
        str(level): {
            name: asdict(spread([getattr(visit.closed[level], name) for visit in visits]))
            for name in ("calls_per_s", "p50_us", "p99_us")
        }
        for level in levels
    }


def keyed_text(run: Run) -> list[str]:
    """The same as a table, where keyed calls were made."""
    if not run.keyed:
        return []
    rows = []
    for store in dict.fromkeys(visit.store for visit in run.keyed):
        visits = [visit for visit in run.keyed if visit.store == store]
        row = [store]
        for level in (1, judge.BAR_CONNECTIONS):
            closed = [visit.closed[level] for visit in visits if level in visit.closed]
            rates = spread([each.calls_per_s for each in closed]) if closed else None
            p50 = spread([each.p50_us for each in closed]).median if closed else None
            row += [thousands(rates), number(p50, 0)]
        rows.append(row)
    syncs = f"{number(run.fdatasync_us, 0)} us, rested {number(run.rested_fdatasync_us, 0)} us"
    title = f"Keyed, journalled calls; fdatasync p50 {syncs}"
    head = ["", "calls/s at 1", "p50 us", "calls/s at 32", "p50 us"]
    return [title, table(head, rows)]


def exported_text(run: Run) -> list[str]:
    """What arrived of subjects with telemetry, in all rounds."""
    rows = []
    for name in run.subjects():
        found = [visit.exported for visit in run.of(name) if visit.exported]
        if found:
            shares = spread([each.trace_share for each in found])
            sums = [
                sum(getattr(each, member) for each in found)
                for member in ("traces", "spans", "trace_exports", "metric_exports", "scrapes")
            ]
            size = max(each.page_bytes for each in found)
            rows.append([name, f"{shares.median:.2%}", *(f"{n:,}" for n in (*sums, size))])
    head = ["", "traced", "traces", "spans", "their exports", "of metrics", "scrapes", "bytes"]
    return ["Telemetry that arrived", table(head, rows)] if rows else []
