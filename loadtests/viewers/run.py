"""Plays the windows: without viewers, with, with, without, and the next round the other way."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from loadtests.bench.host import BenchError, Cores
from loadtests.bench.subjects import SUBJECTS
from loadtests.viewers import judge, report
from loadtests.viewers.report import Setting
from loadtests.viewers.results import Played, Visit
from loadtests.viewers.stage import Stage

CALLS_PER_S = 500.0
WARM_S = 4.0
"""Two thousand calls: every slice is met twice."""
WARM_SEED = 0

__all__ = ["CALLS_PER_S", "Plan", "Setting", "play", "write"]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """A round is two pairs of windows."""

    rounds: int
    window_s: float

    def visits(self) -> list[Visit]:
        """In the order in which they are played; the twins of a pair are neighbours."""
        found = []
        for number in range(self.rounds):
            for half in (0, 1):
                pair, first = 2 * number + half + 1, (number + half) % 2 == 1
                found += [Visit(pair, first), Visit(pair, not first)]
        return found


def play(plan: Plan, cores: Cores, say: Say) -> Played:
    """Measure everything; leave nothing running."""
    played = Played(version=SUBJECTS["tidegate"].version())
    with tempfile.TemporaryDirectory(prefix="viewers-") as name:
        stage = Stage(Path(name), cores)
        try:
            warm = Visit(WARM_SEED, watched=False)
            stage.window(warm, CALLS_PER_S, WARM_S)
            if warm.problems:
                raise BenchError(f"before any window: {'; '.join(warm.problems)}")
            for visit in plan.visits():
                played.visits.append(visit)
                stage.window(visit, CALLS_PER_S, plan.window_s)
                say(_line(visit))
        finally:
            stage.close()
    return played


def write(played: Played, setting: Setting, path: Path, say: Say) -> int:
    """Table and JSON file; the exit status that the run deserves."""
    say("\n" + report.to_text(played, setting) + "\n")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(report.to_json(played, setting), indent=1) + "\n", "utf-8")
    say(f"figures: {path}")
    met = all(bar.verdict == "pass" for bar in judge.bars(played))
    return 0 if met and not judge.invalid_reasons(played, quick=setting.quick) else 1


def _line(visit: Visit) -> str:
    """Progress, one line for a window."""
    arm = "with viewers" if visit.watched else "without"
    lines = [f"  PROBLEM {problem}" for problem in visit.problems]
    if visit.window is not None:
        whole, own = judge.p99_ms(visit.window.took_us), judge.p99_ms(visit.window.own_us)
        text = f"p99 {whole.value:.1f} ms, own {own.value:.2f} ms"
        lines.insert(0, f"pair {visit.pair} {arm:<12} {text}, CPU {visit.sidecar_cpu_s:.2f} s")
    return "\n".join(lines)
