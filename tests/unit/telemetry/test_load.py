"""`proxy.telemetry.load`: what is at work, waits and was refused, in the text form."""

from __future__ import annotations

from typing import Any

from proxy.telemetry.load import load_lines, reporter
from tests.support.prometheus import Family, parse

PLACES = {
    "upstream": "a",
    "compartment": "authorize",
    "at_work": 3,
    "limit": 100,
    "waiting": 2,
    "refused": {"bulkhead_full": 1, "bulkhead_late": 0},
}
SHED = {"priority": "best_effort", "admitted_below": 6, "in_flight": 1, "refused": 7}
ADMISSION = {"in_flight": 3, "priorities": [SHED]}
BEHIND = {"route": "track", "at_work": 4, "refused": 5, "answered": 8, "failed": 2}


BREAKER = {
    "upstream": "a",
    "compartment": "authorize",
    "part": "",
    "state": "open",
    "share": 0.75,
    "changes": {"closed": 1, "open": 2},
    "refused": {"breaker_open": 9, "breaker_probing": 0},
    "would_refuse": 4,
    "throttled": 6,
}


_LOAD: dict[str, Any] = {"bulkheads": [PLACES], "admission": ADMISSION, "background": []}


def _rendered(background: list[dict[str, Any]]) -> dict[str, Family]:
    load = {
        "bulkheads": [PLACES],
        "admission": ADMISSION,
        "background": background,
        "breakers": [BREAKER],
    }
    return parse("\n".join(load_lines(load)) + "\n")


def test_each_compartment_has_its_figures() -> None:
    """Refusals by reason, also those that have not happened yet."""
    families = _rendered([])
    where = {"upstream": "a", "compartment": "authorize"}
    for name, value in (("at_work", 3), ("limit", 100), ("waiting", 2)):
        full = f"tidegate_bulkhead_{name}"
        assert families[full].value(full, **where) == value
    refused = families["tidegate_bulkhead_refused_total"]
    for reason, count in (("bulkhead_full", 1), ("bulkhead_late", 0)):
        assert refused.value("tidegate_bulkhead_refused_total", reason=reason, **where) == count


def test_admission_is_told_by_priority() -> None:
    """What is in flight, from where on it is shed, and how often it was."""
    families = _rendered([])
    by = {"priority": "best_effort"}
    for name, value in (("in_flight", 1), ("below", 6), ("refused_total", 7)):
        full = f"tidegate_admission_{name}"
        assert families[full].value(full, **by) == value
    assert families["tidegate_in_flight"].value("tidegate_in_flight") == 3
    assert "tidegate_background_at_work" not in families


def test_each_breaker_has_its_state_its_changes_and_its_refusals() -> None:
    """One gauge for each state, 1 for the one that it is in."""
    families = _rendered([])
    where = {"upstream": "a", "compartment": "authorize"}

    def value(name: str, **labels: str) -> float:
        full = f"tidegate_breaker_{name}"
        return families[full].value(full, **where, **labels)

    assert (value("state", state="open"), value("state", state="closed")) == (1, 0)
    assert (value("changes_total", to="open"), value("changes_total", to="closed")) == (2, 1)
    assert value("refused_total", reason="breaker_open") == 9
    assert value("refused_total", reason="breaker_probing") == 0
    assert (value("would_refuse_total"), value("throttled_total")) == (4, 6)
    assert value("failing_share") == 0.75


def test_a_narrow_slice_has_a_label_more() -> None:
    """So that what is told of all calls stays what it was."""
    narrow = {**BREAKER, "part": "scheme=visa", "share": 1.0}
    lines = "\n".join(load_lines({**_LOAD, "breakers": [BREAKER, narrow]})) + "\n"
    shares = parse(lines)["tidegate_breaker_failing_share"]
    where = {"upstream": "a", "compartment": "authorize"}
    full = "tidegate_breaker_failing_share"
    assert shares.value(full, **where) == 0.75
    assert shares.value(full, **where, part="scheme=visa") == 1.0


def test_calls_behind_their_answers_are_told_by_route() -> None:
    """At work and shed."""
    families = _rendered([BEHIND])
    for name, value in (("at_work", 4), ("refused_total", 5)):
        full = f"tidegate_background_{name}"
        assert families[full].value(full, route="track") == value
    name = "tidegate_background_ended_total"
    assert families[name].value(name, route="track", result="answered") == 8
    assert families[name].value(name, route="track", result="failed") == 2


def test_without_a_report_there_is_nothing_to_tell() -> None:
    """A sink that nobody has told of any."""
    assert list(load_lines({})) == []


def test_a_report_asks_its_parts_when_it_is_asked() -> None:
    """What it tells is of that moment."""
    seen = [1]
    report = reporter(one=lambda: seen[-1], two=lambda: len(seen))
    seen.append(7)
    assert report() == {"one": 7, "two": 2}
