"""What a replay hands back: bars with figures, and the schema in which they are written. PURE."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Literal

from loadtests.incidents.arms import ArmRow
from loadtests.incidents.checker import Findings

SCHEMA = 1
Relation = Literal["<=", ">=", "="]
Figure = float | int | str


@dataclass(frozen=True, slots=True)
class Bar:
    """One promise and the figure measured for it; `variant` is the part of the replay."""

    variant: str
    name: str
    figure: float
    relation: Relation
    limit: float
    unit: str = ""
    note: str = ""
    """On what the figure rests: number of samples, how the limit came about."""

    @property
    def held(self) -> bool:
        """Whether the figure meets the limit; a figure that could not be measured never does."""
        if math.isnan(self.figure) or math.isnan(self.limit):
            return False
        if self.relation == "<=":
            return self.figure <= self.limit
        if self.relation == ">=":
            return self.figure >= self.limit
        return self.figure == self.limit


@dataclass(frozen=True, slots=True)
class Result:
    """One replay's end. `error` is set if it could not be carried through: that is a failure."""

    id: str
    title: str
    factor: float
    bars: tuple[Bar, ...] = ()
    figures: dict[str, dict[str, Figure]] = field(default_factory=dict)
    """Measured besides, without a promise; by variant."""
    summary: str = ""
    driver_lag_ms: float = 0.0
    """How late the driver itself was, p99 of the worst part: what the machine did to figures."""
    seconds: float = 0.0
    error: str = ""
    refused: bool = False
    """It cannot be played here; `error` says why, and what to do."""
    arms: tuple[ArmRow, ...] = ()
    """The sidecar beside its peers, where a replay has them."""

    @property
    def held(self) -> bool:
        """Every bar held, there was at least one, and nothing broke on the way."""
        return not self.error and bool(self.bars) and all(bar.held for bar in self.bars)


def ledger_bars(variant: str, findings: Findings) -> list[Bar]:
    """The bars that every replay has: never twice, never mixed, never lost, never a lie."""
    note = f"{findings.calls} calls, {findings.executions} executions"
    counts = {
        "dup": findings.dup,
        "mixed answers": findings.mixed,
        "lost": findings.lost,
        "told none, was executed": findings.lied_none,
        "told done, was not": findings.lied_done,
        "executions nobody asked for": findings.stray,
    }
    return [Bar(variant, name, count, "=", 0, note=note) for name, count in counts.items()]


def as_json(results: Iterable[Result], *, quick: bool, written_at: str) -> dict[str, object]:
    """The run in its stable schema; a member is only ever added, or SCHEMA rises."""
    rows = [_result_as_json(result) for result in results]
    return {
        "schema": SCHEMA,
        "written_at": written_at,
        "quick": quick,
        "held": all(row["held"] for row in rows),
        "replays": rows,
    }


def _result_as_json(result: Result) -> dict[str, object]:
    return {
        "id": result.id,
        "title": result.title,
        "held": result.held,
        "error": result.error,
        "refused": result.refused,
        "factor": result.factor,
        "driver_lag_ms": _finite(result.driver_lag_ms),
        "seconds": round(result.seconds, 1),
        "summary": result.summary,
        "bars": [
            {
                "variant": bar.variant,
                "name": bar.name,
                "figure": _finite(bar.figure),
                "relation": bar.relation,
                "limit": _finite(bar.limit),
                "unit": bar.unit,
                "note": bar.note,
                "held": bar.held,
            }
            for bar in result.bars
        ],
        "arms": [
            {name: _finite(figure) for name, figure in asdict(row).items()} for row in result.arms
        ],
        "figures": {
            variant: {name: _finite(figure) for name, figure in figures.items()}
            for variant, figures in result.figures.items()
        },
    }


def _finite(figure: Figure) -> Figure | None:
    """JSON knows no NaN: what could not be measured is null."""
    if isinstance(figure, float):
        return round(figure, 6) if math.isfinite(figure) else None
    return figure
