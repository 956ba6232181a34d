"""Rules for the statements about rows."""

from __future__ import annotations

from proxy.idempotency.postgres_rows import INSERT, OPEN, UPDATE, changed, find_statement, row_of
from proxy.idempotency.record import State
from proxy.idempotency.rows import COLUMNS, values
from proxy.idempotency.store import Query
from tests.unit.idempotency.values import row


def test_a_row_comes_back_with_its_revision() -> None:
    """Every column in its place."""
    made = row(State.SETTLED)
    assert row_of((*values(made), 77)) == (made, 77)


def test_every_column_is_written() -> None:
    """And the revision, by which the next change knows it."""
    assert f"${len(COLUMNS) + 1})" in INSERT
    made = changed(row(State.SETTLED))
    assert all(f"{name} = ${at}" in UPDATE for at, name in enumerate(COLUMNS[: len(made)], 1))
    assert f"revision = ${len(made) + 2}" in UPDATE


def test_what_is_counted_is_not_overwritten() -> None:
    """A row that was read before a duplicate came does not take its count back."""
    assert COLUMNS[len(changed(row(State.SETTLED))) :] == ("blocked", "blocked_at")
    assert "blocked" not in UPDATE


def test_open_rows_are_asked_for_in_the_words_of_their_index() -> None:
    """Else a million rows are read to find ten."""
    assert OPEN in find_statement(Query(states=(State.IN_DOUBT,)), "me")[0]
    assert OPEN not in find_statement(Query(), "me")[0]


def test_values_are_never_part_of_the_text() -> None:
    """They are numbered arguments, each used."""
    statement, asked = find_statement(Query(partner="x'; --", mine=True, limit=7), "me")
    assert "x'" not in statement
    assert asked[5:] == ["x'; --", "me", 7]
    assert all(f"${number}" in statement for number in range(1, len(asked) + 1))
