"""What is asked in place of an alert's condition, and what an expression reads."""

from __future__ import annotations

import pytest

from tools.promql import filled, metrics, parts, variables


@pytest.mark.parametrize(
    ("condition", "asked"),
    [
        ("up == 0", ["up == bool 0"]),
        ("a > 1 and b < 2", ["a > bool 1", "b < bool 2"]),
        ("a >= 1 and on (x, y) b", ["a >= bool 1", "b"]),
        ("a != 1 unless ignoring (x) b", ["a != bool 1", "b"]),
        ("sum(a and b) > 0", ["sum(a and b) > bool 0"]),
        ("a > bool 1", ["a > bool 1"]),
    ],
)
def test_a_condition_becomes_what_it_looks_at(condition: str, asked: list[str]) -> None:
    """Comparisons give 0 or 1, and what is joined at the top is asked for one by one."""
    assert parts(condition) == asked


@pytest.mark.parametrize(
    "selector", ['a{b="x > 1 and y"}', 'a{b!="x",c=~"d|e",f!~"and"}', 'a{b="q\\" == 1"}']
)
def test_selectors_stay_as_they_are(selector: str) -> None:
    """What stands in braces or quotes is no comparison."""
    assert parts(selector) == [selector]


def test_variables_are_found_and_filled() -> None:
    """Both ways of writing them."""
    expression = 'rate(a{b=~"$one",c="${two:regex}"}[$__rate_interval])'
    assert variables(expression) == {"one", "two", "__rate_interval"}
    values = {"one": ".*", "two": "x", "__rate_interval": "10s"}
    assert filled(expression, values) == 'rate(a{b=~".*",c="x"}[10s])'


def test_an_unknown_variable_is_an_error() -> None:
    """It would be asked for as it is written, and find nothing."""
    with pytest.raises(KeyError):
        filled("$other", {})


def test_metrics_are_named_without_a_histograms_endings() -> None:
    """Records and functions are told apart; labels are no metrics."""
    expression = (
        "histogram_quantile(0.9, sum by (le) (rate(tidegate_call_duration_seconds_bucket"
        '{job="tidegate_job"}[5m]))) / route:tidegate_payments:rate5m > process_cpu_seconds_total'
    )
    assert list(metrics(expression)) == [
        "tidegate_call_duration_seconds",
        "route:tidegate_payments:rate5m",
        "process_cpu_seconds_total",
    ]
