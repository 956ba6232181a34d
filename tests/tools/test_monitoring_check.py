"""Dashboards and alerts as they ship hold; each planted mistake is named."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import ValidationError

from tools.monitoring import Dashboard, RuleFile
from tools.monitoring_check import (
    anchors,
    check_cases,
    check_dashboard,
    check_order,
    check_rules,
    documented,
    main,
)

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
KNOWN = {"tidegate_in_flight"}


def _panel(number: int, x: int) -> dict[str, Any]:
    return {
        "id": number,
        "type": "stat",
        "title": f"panel {number}",
        "description": "what it means",
        "datasource": SOURCE,
        "gridPos": {"x": x, "y": 0, "w": 12, "h": 4},
        "targets": [
            {"refId": "A", "datasource": SOURCE, "expr": 'tidegate_in_flight{a=~"$instance"}',
             "legendFormat": "", "instant": True}
        ],
    }  # fmt: skip


def _dashboard() -> dict[str, Any]:
    return {
        "uid": "tidegate-test",
        "title": "Test",
        "description": "of a test",
        "schemaVersion": 39,
        "templating": {"list": [{"name": "instance", "type": "query", "query": "q"}]},
        "annotations": {"list": []},
        "panels": [_panel(1, 0), _panel(2, 12)],
    }


def _rules(**changes: str) -> RuleFile:
    annotations = {
        "summary": "look at the partner, and call it",
        "description": "it fails, and nobody knows why",
        "docs": "docs/guards.md#states",
    }
    alert = {
        "alert": "TidegateTest",
        "expr": "tidegate_in_flight > 1",
        "labels": {"severity": "page"},
        "annotations": {**annotations, **{k: v for k, v in changes.items() if k != "expr"}},
    }
    alert |= {k: v for k, v in changes.items() if k == "expr"}
    return RuleFile.model_validate({"groups": [{"name": "test", "rules": [alert]}]})


def test_what_ships_holds() -> None:
    """No problem in the repository itself."""
    assert main() == 0


def test_a_sound_dashboard_has_no_problem() -> None:
    """The planted mistakes below are the only ones."""
    assert list(check_dashboard(Dashboard.model_validate(_dashboard()), KNOWN)) == []


def _twice(document: dict[str, Any]) -> None:
    document["panels"][1]["id"] = 1


def _overlap(document: dict[str, Any]) -> None:
    document["panels"][1]["gridPos"]["x"] = 11


def _wide(document: dict[str, Any]) -> None:
    document["panels"][1]["gridPos"]["w"] = 13


def _variable(document: dict[str, Any]) -> None:
    document["panels"][0]["targets"][0]["expr"] = 'tidegate_in_flight{a="$other"}'


def _metric(document: dict[str, Any]) -> None:
    document["panels"][0]["targets"][0]["expr"] = "tidegate_in_flihgt"


def _foreign(document: dict[str, Any]) -> None:
    document["panels"][0]["targets"][0]["expr"] = "vector(1)"


@pytest.mark.parametrize(
    ("plant", "word"),
    [
        (_twice, "one id"),
        (_overlap, "overlap"),
        (_wide, "leaves the grid"),
        (_variable, "$other"),
        (_metric, "tidegate_in_flihgt"),
        (_foreign, "no metric of ours"),
    ],
)
def test_a_mistake_in_a_dashboard_is_named(
    plant: Callable[[dict[str, Any]], None], word: str
) -> None:
    """Each by itself."""
    document = copy.deepcopy(_dashboard())
    plant(document)
    [problem] = check_dashboard(Dashboard.model_validate(document), KNOWN)
    assert word in problem


def test_a_panel_without_words_is_refused() -> None:
    """What a picture means has to be said."""
    document = _dashboard()
    document["panels"][0]["description"] = ""
    with pytest.raises(ValidationError):
        Dashboard.model_validate(document)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"expr": "tidegate_other > 1"}, "tidegate_other"),
        ({"docs": "docs/nothing.md"}, "docs/nothing.md"),
        ({"docs": "docs/guards.md#nothing"}, "#nothing"),
    ],
)
def test_a_mistake_in_a_rule_is_named(changes: dict[str, str], word: str) -> None:
    """A metric that nobody documents, and links that lead nowhere."""
    [problem] = check_rules(_rules(**changes), KNOWN, {"docs/guards.md": "## States\n"})
    assert word in problem


def test_a_sound_rule_has_no_problem() -> None:
    """Metric, page and heading are there."""
    assert not list(check_rules(_rules(), KNOWN, {"docs/guards.md": "## States\n"}))


def test_each_alert_is_tested_both_ways() -> None:
    """One that is only ever raised may always be."""
    assert list(check_cases(["A"], [("A", True)])) == ["A: no test in which it is not raised"]
    assert list(check_cases(["A"], [("A", True), ("A", False)])) == []


def test_groups_that_read_each_other_are_evaluated_in_their_order() -> None:
    """Else a test of an alert passes or fails by chance; one group has no order."""
    expected = ["group_eval_order has to be [records, alerts]"]
    assert list(check_order(["records", "alerts"], [])) == expected
    assert list(check_order(["records", "alerts"], ["alerts", "records"])) == expected
    assert list(check_order(["records", "alerts"], ["records", "alerts"])) == []
    assert list(check_order(["alerts"], [])) == []


def test_metrics_and_headings_are_read_from_pages() -> None:
    """With and without labels; headings as a link names them."""
    assert documented(["| `tidegate_a_total`, `tidegate_b{name,state}` |"]) == {
        "tidegate_a_total",
        "tidegate_b",
    }
    assert anchors("# One: two\n\n## The last way out\n") == {"one-two", "the-last-way-out"}
