"""What INC-07 promises: held by an honest history, missed by each planted wrong."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from loadtests.incidents import inc_07, inc_07_bars, inc_07_peers
from loadtests.incidents.arms import ENVOY, Played, row
from loadtests.incidents.history import CallRecord, History
from loadtests.incidents.inc_07_bars import Story
from loadtests.incidents.progress import Progress
from loadtests.incidents.registry import REPLAYS
from loadtests.incidents.run import Run
from proxy.settings.load import load
from tests.loadtests.records import succeeded

STORY = Story(
    dead_at=8.0,
    found={"check connect refused, origin partner": 30.0, "standby not_proven, x": 45.0},
    forced_at=80.0, release_at=88.0, released_at=88.7, command_s=0.7, dated=True,
    sampled_at=95.99, idle=1, gone_at=96.0, gone_by=96.01, back_at=108.0,
)  # fmt: skip


def run(factor: float = 1.0) -> Run:
    """A run that is only asked for its scale."""
    return Run(quick=False, factor=factor, directory=Path(), progress=Progress("test"))


def call(at: float, upstream: str = "primary", **members: object) -> CallRecord:
    """A call that succeeded there."""
    return succeeded(at, 0.05, "visa", upstream=upstream, **members)


def honest() -> list[CallRecord]:
    """A call a second: at the primary, under the force and while it is gone at the standby."""
    moved = [call(float(at), "standby") for at in (*range(81, 88), *range(97, 108))]
    stayed = [call(float(at)) for at in (*range(1, 81), *range(89, 96), 109)]
    doubt = call(95.98, status=504, execution="unknown", ended_at=96.2)
    return sorted([*moved, *stayed, doubt], key=lambda record: record.scheduled_at)


def missed(records: list[CallRecord], story: Story = STORY) -> list[str]:
    """The names of the bars that did not hold."""
    found = inc_07_bars.bars(run(), "refuse", History(records), story)
    return [bar.name for bar in found if not bar.held]


def test_it_holds_for_an_honest_history() -> None:
    """And it is known by its id."""
    assert missed(honest()) == []
    assert REPLAYS["INC-07"] is inc_07.INC_07


@pytest.mark.parametrize(
    ("over", "name"),
    [
        ({"found": {}}, "dead standby found"),
        ({"dated": False}, "the word is seen and dated"),
        ({"forced_at": 78.5}, "forced route in effect"),
    ],
)
def test_each_promise_is_missed_by_its_own_wrong(over: dict[str, object], name: str) -> None:
    """Found too late or never, not dated, or a word that took longer than a second."""
    story = replace(STORY, **over)  # type: ignore[arg-type]
    assert name in missed(honest(), story)


def test_a_dead_standby_is_found_in_time_or_not() -> None:
    """The first finding counts; it scales with the run."""
    late = replace(STORY, found={"check connect refused": 60.1, "standby not_proven": 61.0})
    assert missed(honest(), late) == ["dead standby found", "standby not proven is told"]
    early = replace(STORY, found={"check connect refused": 12.0, "standby not_proven": 12.0})
    bars = inc_07_bars.bars(run(0.2), "refuse", History(honest()), early)
    assert [bar.held for bar in bars[:2]] == [True, True]


def test_a_word_that_moved_nothing_is_no_word() -> None:
    """No call under the force is no proof of it."""
    records = [record for record in honest() if not 80.0 <= record.scheduled_at < 88.0]
    assert math.isnan(inc_07_bars.forced_s(History(records), STORY))
    assert "forced route in effect" in missed(records)


def test_the_first_call_that_met_the_failure_has_to_move() -> None:
    """One that nobody took is one too many."""
    lost = call(96.5, status=503, outcome="unsent", execution="none")
    assert missed(sorted([*honest(), lost], key=lambda record: record.scheduled_at)) == [
        "the first call that met the failure moved",
        "unsent calls that succeeded by failover",
    ]


def test_a_payment_lost_while_nothing_was_wrong_for_it_is_missed() -> None:
    """The standby's death is nobody's business who pays at the primary."""
    lost = call(50.5, status=503, outcome="refused", execution="none")
    assert missed([*honest(), lost]) == ["payments' success meanwhile"]


@pytest.mark.parametrize("factor", [1.0, 0.15])
def test_the_configuration_is_valid(tmp_path: Path, factor: float) -> None:
    """The sidecar accepts it without a warning; in the long form checks are the defaults."""
    config = inc_07.configuration(run(factor), "http://127.0.0.1:4", "http://127.0.0.1:5")
    path = tmp_path / "tidegate.yaml"
    path.write_text(json.dumps(config), encoding="utf-8")
    loaded = load(path, {})
    assert loaded.warnings == []
    checks = loaded.settings.partners["acquirer"].upstreams["standby"].checks
    assert (checks.interval_s, checks.timeout_s) == (20.0 * factor, 5.0 * factor)


@pytest.mark.parametrize("factor", [1.0, 0.15])
def test_the_peers_have_time_to_find_and_to_recover(factor: float) -> None:
    """Both deaths lie apart; Envoy's two checks of 1 s fit in, and two windows behind the end."""
    at = inc_07_peers.times(run(factor))
    assert 0.0 < at.standby_dies_s < at.standby_back_s < at.primary_goes_s < at.primary_back_s
    assert at.standby_back_s - at.standby_dies_s >= 4 * factor
    assert at.primary_back_s - at.primary_goes_s == pytest.approx(inc_07_peers.GONE_S * factor)
    assert at.end_s - at.primary_back_s >= 2 * inc_07_peers.WINDOW_S


def test_a_peers_row_has_both_deaths_in_it() -> None:
    """Found is the standby's, the rest the primary's; a call failed before it is a figure."""
    records = [succeeded(at / 10, 0.15, "visa") for at in range(350)]
    records[10].status = 503
    for record in records[199:210]:  # the first of them was in flight when the primary went
        record.status = 503
    played = Played(ENVOY, History(records), 20.0, 32.0, 2.5, {"not healthy": 2.5})
    line = row("refuse", played, inc_07_peers.WINDOW_S)
    assert line.success_percent == pytest.approx(100 * 110 / 120)
    assert (line.found_s, line.recovered_s) == (2.5, 0.0)
    figures = inc_07_peers.figures(played)
    assert figures["success before the primary goes, %"] == pytest.approx(100 * 198 / 199)
    assert figures["said of the dead standby"] == "not healthy after 2.5 s"
