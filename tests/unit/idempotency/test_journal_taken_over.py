"""Rules for news of a run that was given up for dead."""

from __future__ import annotations

import pytest

from proxy.idempotency.journal import Conclusion
from proxy.idempotency.record import JournalError, Release, State
from proxy.idempotency.transitions import taken_over
from tests.unit.idempotency.values import RELEASE, SETTLE
from tests.unit.idempotency.waiting import Desk


@pytest.fixture
async def desk() -> Desk:
    """One journal."""
    return Desk()


def given_up(desk: Desk, row_id: bytes, attempt: int = 1) -> None:
    """Another sidecar took this run for dead, and may have repeated the attempt."""
    row = taken_over(desk.store.rows[row_id], "another", 0, desk.store.instant())
    row.attempt = attempt
    desk.store.rows[row_id] = row


async def test_the_answer_of_a_run_that_was_given_up_is_still_an_answer(desk: Desk) -> None:
    """It was only paused, and what it brings is about the very attempt that is in doubt."""
    row_id, token = await desk.sending()
    given_up(desk, row_id)
    assert await desk.journal.conclude(row_id, token, SETTLE, 1) is Conclusion.DURABLE
    assert desk.store.rows[row_id].state is State.SETTLED
    assert desk.bugs == []


async def test_after_a_later_attempt_it_is_not(desk: Desk) -> None:
    """That one will say what became of both; nor does anything but an answer count."""
    row_id, token = await desk.sending()
    given_up(desk, row_id, attempt=2)
    assert await desk.journal.conclude(row_id, token, SETTLE, 1) is Conclusion.TAKEN_OVER
    assert await desk.journal.conclude(row_id, token, RELEASE, 2) is Conclusion.TAKEN_OVER
    assert desk.store.rows[row_id].state is State.IN_DOUBT


async def test_an_answer_that_contradicts_a_proof_is_told(desk: Desk) -> None:
    """The partner said that there was no such payment, and now it has one: somebody must look."""
    row_id, token = await desk.sending()
    given_up(desk, row_id)
    taken = desk.store.rows[row_id]
    await desk.store.step(row_id, taken.token, Release("absent_by_inquiry", of_all=True))
    assert await desk.journal.conclude(row_id, token, SETTLE, 1) is Conclusion.TAKEN_OVER
    assert [type(bug) for bug in desk.bugs] == [JournalError]
    assert desk.store.rows[row_id].state is State.RELEASED
