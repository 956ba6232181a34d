"""What INC-20 promises: held by an honest history, missed by each planted wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.incidents import inc_20
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.progress import Progress
from loadtests.incidents.registry import REPLAYS
from loadtests.incidents.run import Run
from proxy.settings.load import load
from tests.loadtests.records import succeeded


def _run(folder: Path, *, quick: bool = False) -> Run:
    return Run(quick=quick, factor=1.0, directory=folder, progress=Progress("test"))


def _arm() -> History:
    return History([succeeded(n / 200, 0.05, "visa", partner_time_s=0.049) for n in range(200)])


def test_it_is_registered_with_a_valid_configuration(tmp_path: Path) -> None:
    """The sidecar accepts it without a warning."""
    assert REPLAYS["INC-20"] is inc_20.INC_20
    path = tmp_path / "c.yaml"
    config = inc_20.configuration("http://127.0.0.1:4", "http://127.0.0.1:5")
    path.write_text(json.dumps(config), encoding="utf-8")
    assert load(path, {}).warnings == []


@pytest.mark.parametrize(
    ("bend", "dropped", "names"),
    [
        (lambda record: record, 1.0, []),
        (lambda record: record, 0.0, ["traces counted as lost"]),
        (
            lambda record: replace(record, ended_at=record.ended_at + 0.0006),
            1.0,
            ["growth of our share p99"],
        ),
        (
            lambda record: replace(record, ended_at=record.ended_at + 0.0026),
            1.0,
            ["p99 to healthy", "growth of our share p99"],
        ),
        (lambda record: replace(record, status=503), 1.0, ["calls that succeeded"]),
    ],
)
def test_an_arm_is_held_against_the_healthy_one(
    bend: Callable[[CallRecord], CallRecord], dropped: float, names: list[str]
) -> None:
    """No call may fail, none may be slower, and what was lost must be counted."""
    records = _arm().records
    faulty = History([*records[:-5], *(bend(record) for record in records[-5:])])
    bars = inc_20.arm_bars("hangs", [faulty] * 3, [_arm()] * 3, dropped)
    missed = [bar.name for bar in bars if not bar.held]
    assert missed == names or (names == ["calls that succeeded"] and missed[:1] == names)


def test_the_quick_form_has_shorter_arms(tmp_path: Path) -> None:
    """And says on how many samples its figures rest."""
    assert inc_20.arm_s(_run(tmp_path)) * inc_20.RATE_PER_S == inc_20.SAMPLES
    assert inc_20.arm_s(_run(tmp_path, quick=True)) == inc_20.QUICK_ARM_S
