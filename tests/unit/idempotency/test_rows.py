"""Rules for rows as columns."""

from __future__ import annotations

import pytest

from proxy.idempotency.record import JournalError, State
from proxy.idempotency.rows import COLUMNS, id_bounds, record, values
from tests.unit.idempotency.values import row


@pytest.mark.parametrize("state", State)
def test_a_row_survives_its_columns(state: State) -> None:
    """Nothing is lost, and the names are as many as the values."""
    before = row(state)
    columns = values(before)
    assert len(columns) == len(COLUMNS) == len(set(COLUMNS))
    assert record(columns) == before


def test_a_state_that_nobody_knows_is_an_error() -> None:
    """A newer release may have written it; acting on a guess could charge twice."""
    columns = list(values(row(State.CLAIMED)))
    columns[COLUMNS.index("state")] = "paused"
    with pytest.raises(JournalError, match="paused"):
        record(tuple(columns))


@pytest.mark.parametrize(
    ("digits", "bounds"),
    [
        ("abcdef", (b"\xab\xcd\xef" + bytes(13), b"\xab\xcd\xef" + b"\xff" * 13)),
        ("ABCDEF1", (b"\xab\xcd\xef\x10" + bytes(12), b"\xab\xcd\xef\x1f" + b"\xff" * 12)),
        ("0" * 32, (bytes(16), bytes(16))),
        ("abcde", None),
        ("0" * 33, None),
        ("order-1", None),
        ("", None),
    ],
)
def test_the_beginning_of_an_id_bounds_it(digits: str, bounds: tuple[bytes, bytes] | None) -> None:
    """Both ends are among what is meant; too few digits, and what is no id, mean nothing."""
    assert id_bounds(digits) == bounds
