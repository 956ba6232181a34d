"""Bars, the table, the JSON, what is read of the sidecar, and the command line."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from loadtests.incidents.__main__ import main
from loadtests.incidents.checker import check
from loadtests.incidents.history import History
from loadtests.incidents.metrics import parse_metrics, sample
from loadtests.incidents.process import ReplayError
from loadtests.incidents.registry import REPLAYS, chosen
from loadtests.incidents.report import table, verdict
from loadtests.incidents.result import Bar, Relation, Result, as_json, ledger_bars

HELD = Bar("refuse", "in doubt", 3, "<=", 21, note="11 calls in flight + 10 idle connections")
MISSED = Bar("refuse", "success", 98.5, ">=", 99.0, "%")
PASSED = Result("INC-99", "A title", 0.4, (HELD,), {"refuse": {"found s": 0.1}}, "in doubt 3", 12.3)


@pytest.mark.parametrize(
    ("figure", "relation", "limit", "held"),
    [
        (1.2, "<=", 1.2, True),
        (1.21, "<=", 1.2, False),
        (99.0, ">=", 99.0, True),
        (98.9, ">=", 99.0, False),
        (0, "=", 0, True),
        (1, "=", 0, False),
        (math.nan, "<=", 1.2, False),
        (math.nan, ">=", 0.0, False),
        (1.0, "<=", math.nan, False),
    ],
)
def test_when_a_bar_holds(figure: float, relation: Relation, limit: float, held: bool) -> None:
    """The limit itself is within; what could not be measured never holds."""
    assert Bar("v", "n", figure, relation, limit).held is held


def test_a_replay_holds_only_with_bars_that_all_hold() -> None:
    """No bar at all is no proof, and a replay that broke has failed whatever it measured."""
    assert PASSED.held
    assert not Result("INC-99", "A title", 1.0).held
    assert not Result("INC-99", "A title", 1.0, (HELD, MISSED)).held
    assert not Result("INC-99", "A title", 1.0, (HELD,), error="no sidecar").held


def test_the_last_line_names_the_verdict() -> None:
    """`ID pass: summary`, or `ID fail:` with each bar missed, or with what broke."""
    assert table(PASSED).splitlines()[-1] == verdict(PASSED) == "INC-99 pass: in doubt 3"
    failed = Result("INC-99", "A title", 1.0, (HELD, MISSED), summary="in doubt 3")
    assert table(failed).splitlines()[-1] == "INC-99 fail: refuse success 98.5"
    busy = replace(failed, driver_lag_ms=40.4)
    assert verdict(busy).endswith(" (the machine was busy: the driver's own lag p99 40 ms)")
    broken = Result("INC-99", "A title", 1.0, error="no sidecar\nits log")
    assert table(broken).splitlines()[-1] == "INC-99 fail: no sidecar"


def test_the_table_shows_figure_promise_and_factor() -> None:
    """A reader sees what was measured, what was promised, on what it rests, and the scale."""
    text = table(Result("INC-99", "A title", 0.4, (HELD, MISSED), PASSED.figures))
    assert "intervals x 0.4" in text
    [line] = [line for line in text.splitlines() if "in doubt" in line]
    assert line.split("  ")[-1] == HELD.note
    assert "<= 21" in line
    assert "held" in line
    assert "MISSED" in text
    assert "found s" in text


def test_the_json_keeps_its_schema() -> None:
    """Members are what readers of earlier runs know; what could not be measured is null."""
    bars = (Bar("v", "n", math.nan, "<=", 2.0),)
    figures: dict[str, dict[str, float | int | str]] = {"v": {"found s": math.nan}}
    document = as_json(
        [PASSED, Result("INC-98", "B", 1.0, bars, figures)], quick=True, written_at="now"
    )
    assert json.loads(json.dumps(document, allow_nan=False)) == document
    assert (document["schema"], document["held"], document["quick"]) == (1, False, True)
    replays = document["replays"]
    assert isinstance(replays, list)
    first, second = replays
    assert set(first) == {
        *(
            "id",
            "title",
            "held",
            "error",
            "factor",
            "seconds",
            "driver_lag_ms",
            "summary",
            "refused",
        ),
        *("bars", "arms", "figures"),
    }
    assert first["bars"] == [
        {
            "variant": "refuse",
            "name": "in doubt",
            "figure": 3,
            "relation": "<=",
            "limit": 21,
            "unit": "",
            "note": HELD.note,
            "held": True,
        }
    ]
    assert second["bars"][0]["figure"] is second["figures"]["v"]["found s"] is None


def test_every_replay_has_the_ledgers_bars() -> None:
    """Never twice, never mixed, never lost, never a lie: each a bar of its own, at 0."""
    bars = ledger_bars("all", check(History(), []))
    assert [bar.name for bar in bars][:3] == ["dup", "mixed answers", "lost"]
    assert all(bar.held and bar.relation == "=" and bar.limit == 0 for bar in bars)


def test_metrics_are_read_by_name_and_labels() -> None:
    """Labels in any order; a sample that is not there is an error, never an assumed 0."""
    samples = parse_metrics(
        "# TYPE pool gauge\n"
        'pool{state="idle",upstream="a"} 7\n'
        'pool{upstream="a",state="busy"} 1e1 1700000000\n'
        "up 1\n"
    )
    assert sample(samples, "pool", upstream="a", state="idle") == 7
    assert sample(samples, "pool", state="busy", upstream="a") == 10
    assert sample(samples, "up") == 1
    with pytest.raises(ReplayError, match=r'pool\{upstream="b"\}'):
        sample(samples, "pool", upstream="b")
    with pytest.raises(ValueError, match="no sample"):
        parse_metrics("one two three four\n")


def test_replays_are_chosen_by_id() -> None:
    """All without a choice; else the ones named, once each, in the order given."""
    assert [replay.id for replay in chosen(None)] == list(REPLAYS)
    assert [replay.id for replay in chosen("inc-08, INC-04,INC-08")] == ["INC-08", "INC-04"]


def test_an_unknown_id_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong id runs nothing: exit code 2, and the ids that exist."""
    assert main(["--only", "INC-08,INC-77"]) == 2
    said = capsys.readouterr().err
    assert "no replay INC-77" in said
    assert all(id_ in said for id_ in REPLAYS)
