"""Rules for rows as columns."""

from __future__ import annotations

import pytest

from proxy.idempotency.record import JournalError, State
from proxy.idempotency.rows import COLUMNS, record, values
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
