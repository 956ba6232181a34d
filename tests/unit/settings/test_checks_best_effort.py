"""`proxy.settings.checks_best_effort`: best effort and money do not go together."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.settings.example import changed, load_text, problems_of

REST = "    match: {path: /}\n"
SAFE = "    match: {path: /, methods: [GET, HEAD]}\n"
EFFORT = "    best_effort: {}\n"
SOUTH = "  south:\n"
FREE = "  south:\n    operations: {other: {money: false}}\n"


def _problems(folder: Path, *changes: tuple[str, str]) -> list[str]:
    return [problem.path for problem in problems_of(folder, changed(*changes))]


def _warnings(folder: Path, *changes: tuple[str, str]) -> list[str]:
    return [warning.path for warning in load_text(folder, changed(*changes)).warnings]


@pytest.mark.parametrize("operation", ["authorize", "capture", "refund", "void", "other"])
def test_where_money_may_move_it_is_a_mistake(tmp_path: Path, operation: str) -> None:
    """The report names the place, and what to declare if nothing is paid there."""
    own = f"    operation: {operation}\n{EFFORT}"
    (problem,) = problems_of(tmp_path, changed((REST, REST + own)))
    assert problem.path == "routes[1].best_effort"
    assert operation in problem.message
    assert f"partners.south.operations.{operation}.money: false" in problem.remedy


@pytest.mark.parametrize(
    "changes",
    [
        [(REST, SAFE + EFFORT)],
        [(REST, REST + EFFORT), (SOUTH, FREE)],
        [(REST, f"{REST}    operation: authenticate\n{EFFORT}")],
        [(REST, f"{REST}    operation: inquire\n{EFFORT}")],
    ],
    ids=["only reads", "declared free of money", "authenticate", "inquire"],
)
def test_where_no_money_moves_it_is_fine(tmp_path: Path, changes: list[tuple[str, str]]) -> None:
    """By the operation, by the methods, or by the partner's declaration."""
    assert _problems(tmp_path, *changes) == []
    assert _warnings(tmp_path, *changes) == []


def test_a_partner_that_declares_money_is_believed(tmp_path: Path) -> None:
    """Whatever its operation is by default."""
    paid = "  south:\n    operations: {authenticate: {money: true}}\n"
    own = f"{REST}    operation: authenticate\n{EFFORT}"
    assert _problems(tmp_path, (REST, own), (SOUTH, paid)) == ["routes[1].best_effort"]


@pytest.mark.parametrize(
    ("line", "place"),
    [
        ("priority: payment", "routes[1].priority"),
        ("idempotency: {key: optional}", "routes[1].idempotency"),
    ],
)
def test_what_belongs_to_payments_contradicts_it(tmp_path: Path, line: str, place: str) -> None:
    """It has no rank of its own, and nothing is remembered of it."""
    journal = ("version: 1\n", "version: 1\njournal: {path: j.db}\n")
    own = f"{SAFE}{EFFORT}    {line}\n"
    assert _problems(tmp_path, (REST, own), journal) == [place]


def test_a_reply_without_content_has_no_body(tmp_path: Path) -> None:
    """204 is the default."""
    own = SAFE + "    best_effort: {reply: {body: x}}\n"
    assert _problems(tmp_path, (REST, own)) == ["routes[1].best_effort.reply.body"]


def test_a_deadline_that_does_nothing_is_worth_a_look(tmp_path: Path) -> None:
    """Where the caller waits, the budget ends the call; behind the reply the deadline does."""
    own = SAFE + "    deadline: 3s\n"
    assert _warnings(tmp_path, (REST, own + EFFORT)) == ["routes[1].deadline"]
    assert _warnings(tmp_path, (REST, own + "    best_effort: {wait: false}\n")) == []


def test_an_upstream_that_takes_payments_too_is_worth_a_look(tmp_path: Path) -> None:
    """Its connections, and what may linger, are shared."""
    own = SAFE + EFFORT
    shared = ("candidates: [south-a]", "candidates: [north-b]")
    # of the upstream that nobody uses any more it is said, too
    found = _warnings(tmp_path, (REST, own), shared)
    assert "routes[1].candidates[0]" in found
