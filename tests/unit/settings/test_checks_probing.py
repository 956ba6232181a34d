"""`proxy.settings.checks_probing`: a check moves no money, and has a chance to be in time."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

SOUTH = "  south:\n"
URL = "        url: https://south.example\n"
CHECKS = "partners.south.upstreams.south-a.checks"


def _at(tmp_path: Path, checks: str, partner: str = "") -> list[str]:
    changes = ((SOUTH, SOUTH + partner), (URL, f"{URL}        checks: {checks}\n"))
    return [problem.path for problem in problems_of(tmp_path, changed(*changes))]


@pytest.mark.parametrize(
    ("request_", "partner", "wrong"),
    [
        ("{method: POST, operation: authorize}", "", True),
        ("{method: GET, operation: authorize}", "", False),
        ("{method: POST, operation: other}", "", True),
        ("{method: POST, operation: other}", "    operations: {other: {money: false}}\n", False),
        ("{method: POST, operation: authenticate, body: '{}'}", "", False),
        ("{method: PUT, operation: inquire}", "    operations: {inquire: {money: true}}\n", True),
    ],
)
def test_a_check_may_not_move_money(
    tmp_path: Path, request_: str, partner: str, wrong: bool
) -> None:
    """Whatever the method, the partner's own word about the operation counts."""
    found = _at(tmp_path, f"{{kind: request, request: {request_}}}", partner)
    assert found == ([f"{CHECKS}.request.method"] if wrong else [])


@pytest.mark.parametrize(
    ("checks", "at"),
    [
        ("{request: {target: /health}}", "request"),
        ("{kind: request, request: {expect: []}}", "request.expect"),
        ("{interval: 2s, timeout: 3s}", "timeout"),
        ("{interval: 1m, proven_within: 90s}", "proven_within"),
    ],
)
def test_what_has_no_effect_or_no_chance_is_a_mistake(tmp_path: Path, checks: str, at: str) -> None:
    """The place is named."""
    assert _at(tmp_path, checks) == [f"{CHECKS}.{at}"]


def test_times_of_checks_that_are_off_do_not_matter(tmp_path: Path) -> None:
    """They are never used."""
    assert _at(tmp_path, "{kind: off, interval: 1m, proven_within: 90s}") == []


@pytest.mark.parametrize("route", ["", "    operation: refund\n"])
def test_a_standby_share_needs_a_standby_that_may_be_asked(tmp_path: Path, route: str) -> None:
    """One candidate has none, and what follows a payment stays with it."""
    match = "    match: {path: /}\n"
    text = changed((match, f"{match}{route}    standby: {{share: 0.05}}\n"))
    found = [problem.path for problem in problems_of(tmp_path, text)]
    assert set(found) == {"routes[1].standby"}


NORTH_B = "        url: https://b.north.example\n"


@pytest.mark.parametrize(
    ("route", "warned"),
    [
        ("", True),
        ("    standby: {}\n", False),
        ("    standby: {share: 0.05}\n", False),
        ("    standby: {share: 0}\n", True),
    ],
)
def test_a_standby_that_nothing_proves_is_warned_of(
    tmp_path: Path, route: str, warned: bool
) -> None:
    """Checks are off, and it gets no share of calls: then nobody knows that it is there."""
    last = "    candidates: [north-a, north-b]\n"
    text = changed((NORTH_B, f"{NORTH_B}        checks: {{kind: off}}\n"), (last, last + route))
    found = [warning.path for warning in load_text(tmp_path, text).warnings]
    at = "partners.north.upstreams.north-b.checks.kind"
    assert (at in found) is warned
    assert not [each for each in found if "north-a" in each]


def test_a_share_goes_with_the_order_of_the_file_alone(tmp_path: Path) -> None:
    """Where weights or health say who is first, the others have their calls already."""
    last = "    candidates: [north-a, north-b]\n"
    text = changed((last, f"{last}    order: healthiest\n    standby: {{share: 0.05}}\n"))
    assert [problem.path for problem in problems_of(tmp_path, text)] == ["routes[0].standby"]
