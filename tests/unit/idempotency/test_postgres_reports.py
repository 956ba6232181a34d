"""Rules for what a shared journal tells of many rows; more of them in tests/contract."""

from __future__ import annotations

import pytest

from proxy.idempotency.postgres_reports import PostgresReports
from proxy.idempotency.postgres_wire import Lost, Unexecuted
from proxy.idempotency.store import StoreUnavailable
from tests.support.postgres import Sidecars
from tests.unit.idempotency.values import SETTLE, fence, wanted


class Broken:
    """A wire that fails each time."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def fetch(self, *_: object) -> None:
        """Fail."""
        raise self.error


def reports(error: Exception) -> PostgresReports:
    """Reports from a server that fails so."""
    return PostgresReports(Broken(error))  # type: ignore[arg-type]


@pytest.mark.parametrize("error", [Lost(), Unexecuted("57014", conflict=False)])
async def test_a_server_that_is_away_is_a_journal_that_is_away(error: Exception) -> None:
    """Whoever asked asks again later."""
    for asked in (
        reports(error).counts(),
        reports(error).named("k1"),
        reports(error).unsettled(1.0),
        reports(error).reseal(lambda *_: None, 1, b""),
    ):
        with pytest.raises(StoreUnavailable):
            await asked


async def test_counts_are_lost_rather_than_counted_twice() -> None:
    """A refused write is offered again; one whose answer was lost is not."""
    await reports(Lost()).note_blocked({b"x" * 16: (1, 1.0)})
    with pytest.raises(StoreUnavailable):
        await reports(Unexecuted("40P01", conflict=True)).note_blocked({b"x" * 16: (1, 1.0)})


async def test_duplicates_at_another_sidecar_are_not_overwritten(sidecars: Sidecars) -> None:
    """The one that has the row at hand goes on with what it has read, and loses no count."""
    first, second = await sidecars.join("one"), await sidecars.join("two")
    _, row = await first.claim(wanted())
    await first.step(row.id, row.token, fence())
    await second.note_blocked({row.id: (2, 7.0)})
    await first.step(row.id, row.token, SETTLE)
    (after,) = await second.named("k1")
    assert (after.blocked, after.blocked_at, after.state) == (2, 7.0, "settled")


async def test_an_answer_that_was_changed_meanwhile_is_left(sidecars: Sidecars) -> None:
    """It is not replaced by an older one that was sealed anew."""
    first, second = await sidecars.join("one"), await sidecars.join("two")
    _, row = await first.claim(wanted())
    await first.step(row.id, row.token, fence())
    await first.step(row.id, row.token, SETTLE)
    real = second._wire.fetch

    async def slow(statement: str, *arguments: object) -> object:
        found = await real(statement, *arguments)
        if statement.startswith("SELECT id, answer"):
            await first.reseal(lambda *_: b"by the other", 10, b"")
        return found

    second._wire.fetch = slow  # type: ignore[assignment,method-assign]
    assert await second.reseal(lambda *_: b"late", 10, b"") == (b"", 0)
    (after,) = await first.named("k1")
    assert after.answer == b"by the other"
