"""What `make promcheck` asks for, and how it judges names; the rest needs a real Prometheus."""

from __future__ import annotations

from typing import Any

import pytest

from loadtests.promcheck import prometheus
from loadtests.promcheck.questions import (
    NEVER,
    OR_ZERO,
    RAISED,
    VALUES,
    against_conventions,
    against_story,
    of_dashboards,
    of_rules,
)
from tools.monitoring import dashboards, rule_files
from tools.promql import variables
from tools.source import ROOT


def test_each_query_of_each_panel_is_asked() -> None:
    """With every variable filled in."""
    boards = dashboards(ROOT)
    targets = sum(len(p.targets) for each in boards.values() for p in each.pictures())
    asked = list(of_dashboards(boards))
    assert sum("annotation" not in each.where for each in asked) == targets
    assert not any(variables(each.expression) for each in asked)
    assert not any(OR_ZERO in each.expression for each in asked)


def test_each_rule_is_asked_for() -> None:
    """All parts of alerts, and records by name."""
    files = rule_files(ROOT)
    asked = {each.where.rpartition(" · ")[2] for each in of_rules(files)}
    assert asked == {
        name
        for file in files.values()
        for name in [*(a.alert for a in file.alerts()), *(r.record for r in file.records())]
    }


def test_all_values_are_for_variables_that_exist() -> None:
    """A value that no dashboard uses is a rest of something."""
    used = {
        name
        for board in dashboards(ROOT).values()
        for panel in board.pictures()
        for target in panel.targets
        for name in variables(target.expr)
    }
    assert set(VALUES) - used <= {"__interval"}


@pytest.mark.parametrize(
    ("kind", "name", "word"),
    [
        ("counter", "tidegate_calls", "_total"),
        ("gauge", "tidegate_calls_total", "_total"),
        ("gauge", "Tidegate_calls", "lower case"),
        ("histogram", "tidegate_wait", "unit"),
        ("gauge", "tidegate_wait_ms", "base unit"),
    ],
)
def test_a_name_against_the_conventions_is_named(kind: str, name: str, word: str) -> None:
    """Each by itself."""
    text = f"# HELP {name} Words.\n# TYPE {name} {kind}\n"
    [problem] = against_conventions(text)
    assert word in problem


def test_a_metric_without_help_is_named() -> None:
    """Nobody would know what it is."""
    [problem] = against_conventions("# TYPE tidegate_calls_total counter\n")
    assert "no help" in problem


def test_a_series_without_a_number_is_no_data() -> None:
    """A share of nothing is NaN, and draws no line."""
    nothing: dict[str, Any] = {"values": [[1, "NaN"], [2, "NaN"]]}
    assert not prometheus._is_number(nothing)
    assert prometheus._is_number({"values": [[1, "NaN"], [2, "0"]]})


def test_the_job_has_the_name_that_alerts_rely_on() -> None:
    """`up` is asked for by it."""
    [job] = prometheus.configuration("127.0.0.1:1", [])["scrape_configs"]
    assert job["job_name"] == "tidegate"


def test_the_story_raises_what_it_has_a_reason_for() -> None:
    """One that is missing, one without a reason and one that is too early are each named."""
    assert list(against_story(RAISED, set())) == []
    [missing] = against_story(RAISED - {"TidegateDegraded"}, set())
    assert "TidegateDegraded was not raised" in missing
    [groundless] = against_story(RAISED | {"TidegateBug"}, set())
    assert "TidegateBug was raised without" in groundless
    [early] = against_story(RAISED, {"TidegateDegraded"})
    assert "while all was well" in early


def test_the_story_judges_alerts_that_there_are() -> None:
    """A name that no file has would be waited for in vain, or never come."""
    names = {alert.alert for file in rule_files(ROOT).values() for alert in file.alerts()}
    assert names >= RAISED | NEVER
    assert not RAISED & NEVER
