"""Keyed calls in the bench: what is sent, what is promised, and how it is judged."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.bench import __main__ as command
from loadtests.bench import judge, plot, report
from loadtests.bench.host import describe_machine
from loadtests.bench.keyed import fdatasync_p50_us
from loadtests.bench.payload import REQUEST_BODY, keyed_script
from loadtests.bench.results import Closed, KeyedVisit, Run


def visit(store: str, number: int, rate: float, p50_us: float = 900.0) -> KeyedVisit:
    """A round of a store at 1 and 32 connections."""
    levels = {n: Closed(n, 1000, rate, p50_us, 5 * p50_us) for n in (1, 32)}
    return KeyedVisit(store, number, levels)


def run(*, rate: float = 4200.0, aged: float = 4000.0, p50_us: float = 900.0) -> Run:
    """Three rounds, the middle one of which counts."""
    made = Run(syncs_us={1: 100.0, 2: 150.0, 3: 200.0}, rested_syncs_us={1: 240.0})
    for number, factor in ((1, 0.5), (2, 1.0), (3, 1.5)):
        made.keyed.append(KeyedVisit("direct", number, {1: Closed(1, 9, 9.0, 10.0, 20.0)}))
        made.keyed.append(visit("sqlite", number, rate * factor, p50_us))
        made.keyed.append(visit("sqlite-1m", number, aged * factor, p50_us))
    return made


def verdicts(measured: Run) -> dict[str, str]:
    """By the bar's name."""
    return {bar.name: bar.verdict for bar in judge.bars(measured)}


def test_the_bars_of_the_journal_hold_or_fail() -> None:
    """4,000 calls/s; three syncs and half a millisecond; nine tenths with a million rows."""
    assert set(verdicts(run()).values()) == {"pass"}
    assert verdicts(run(p50_us=960.0))["keyed_added_p50_us"] == "pass"
    assert verdicts(run(rate=3999.0, aged=3999.0))["keyed_calls_per_s"] == "fail"
    assert verdicts(run(p50_us=961.0))["keyed_added_p50_us"] == "fail"
    assert verdicts(run(aged=3700.0))["keyed_aged_ratio"] == "fail"


def test_a_store_that_was_not_measured_is_no_pass() -> None:
    """Nor is one without direct beside it."""
    lonely = Run(keyed=[visit("postgres", 1, 2000.0)], syncs_us={1: 150.0})
    assert set(verdicts(lonely).values()) == {"not measured"}


def test_without_keyed_calls_there_are_no_keyed_bars() -> None:
    """A run of other subjects is judged as it was."""
    assert judge.keyed_bars(Run()) == []


def test_a_problem_of_a_keyed_round_makes_the_run_invalid() -> None:
    """With the store and the round."""
    made = run()
    made.keyed[1].problems.append("32 connections: 3 status errors")
    assert judge.invalid_reasons(made) == ["round 1 keyed sqlite: 32 connections: 3 status errors"]


def test_every_call_has_a_key_of_its_own() -> None:
    """Numbered by the script, under a prefix that is this run's."""
    script = keyed_script("ab12")
    assert "Idempotency-Key: ab12-'" in script
    assert "number = number + 1" in script
    assert REQUEST_BODY in script
    assert "BENCH {" in script


def test_the_figures_are_shown_and_written() -> None:
    """In a table of their own, and in the JSON."""
    plan = command.make_plan(command.parse_args(["--quick"]))
    setting = report.Setting("now", True, plan, describe_machine())
    shown = report.to_text(run(), setting)
    assert "fdatasync p50 150 us, rested 240 us" in shown
    written = report.to_json(run(), setting)["keyed"]
    assert isinstance(written, dict)
    assert (written["fdatasync_p50_us"], written["fdatasync_rested_p50_us"]) == (150.0, 240.0)
    assert written["stores"]["sqlite"]["32"]["calls_per_s"]["median"] == 4200.0


def test_the_disk_is_measured_in_the_place_of_the_journals(tmp_path: Path) -> None:
    """In a row and rested, and nothing is left there."""
    assert fdatasync_p50_us(tmp_path) > 0.0
    assert fdatasync_p50_us(tmp_path, 0.0001) > 0.0
    assert list(tmp_path.iterdir()) == []


def test_stores_are_chosen_by_name() -> None:
    """As subjects are."""
    assert command.parse_args(["--subjects", "sqlite,postgres"]).subjects == ["sqlite", "postgres"]
    with pytest.raises(SystemExit):
        command.parse_args(["--subjects", "oracle"])


def test_without_calls_that_have_no_keys_there_is_no_plot() -> None:
    """A run of the stores alone says so, and ends as it should."""
    assert plot.missing(Run(keyed=[visit("sqlite", 1, 2000.0)])) is not None
