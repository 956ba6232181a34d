"""Rules for what is done to many rows of a journal file at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.idempotency.record import State, Verdict
from proxy.idempotency.sqlite import SqliteStore
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.values import SETTLE, fence, wanted


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A journal with three settled calls, and one at work."""
    made = SqliteStore(
        tmp_path / "j.db", asyncio.get_running_loop(), wall=ManualClock().wall,
        failed=lambda _: None,
    )  # fmt: skip
    for key in "abc":
        _, row = await made.claim(wanted(key))
        await made.step(row.id, row.token, fence())
        await made.step(row.id, row.token, SETTLE)
    await made.claim(wanted("work"))
    yield made
    await made.close()


async def test_duplicates_are_added_to_their_rows(store: SqliteStore) -> None:
    """Also to a row at work, which is kept in memory; rows that are gone are passed over."""
    done, work = wanted("a").id, wanted("work").id
    await store.note_blocked({done: (2, 5.0), work: (1, 9.0), b"x" * 16: (1, 1.0)})
    await store.note_blocked({done: (1, 3.0)})
    settled = await store.read(done)
    assert settled is not None
    assert (settled.blocked, settled.blocked_at, settled.state) == (3, 5.0, State.SETTLED)
    _, row = await store.claim(wanted("work"))
    after = await store.step(row.id, row.token, fence())
    assert (after.blocked, after.blocked_at) == (1, 9.0)


async def test_answers_are_sealed_anew_a_few_at_a_time(store: SqliteStore) -> None:
    """In the order in which they came, each once; what is said to be current stays as it is."""
    seen: list[bytes] = []
    shares: list[float] = []

    def again(row_id: bytes, sealed: bytes) -> bytes | None:
        seen.append(row_id)
        return None if row_id == wanted("b").id else b"anew " + sealed

    last, number = b"", 0
    for _ in range(3):
        last, changed = await store.reseal(again, 2, last)
        number += changed
        shares.append(int.from_bytes(last[:4], "big") / 2**32 if last else 1.0)
        if not last:
            break
    assert (last, number) == (b"", 2)
    assert seen == [wanted(key).id for key in "abc"]
    assert shares == sorted(shares)
    assert 0.0 < shares[0] < 1.0
    answers = {key: (await store.claim(wanted(key)))[1].answer for key in "abc"}
    assert answers == {"a": b"anew sealed", "b": b"sealed", "c": b"anew sealed"}


async def test_a_seal_that_fails_changes_nothing(store: SqliteStore) -> None:
    """Its batch is told of it; the journal goes on."""

    def fail(row_id: bytes, sealed: bytes) -> bytes | None:
        raise ValueError(row_id)

    with pytest.raises(ValueError, match=r"."):
        await store.reseal(fail, 10, b"")
    assert (await store.claim(wanted("a")))[0] is Verdict.REPLAY


async def test_purging_goes_by_the_state_and_the_kept_clock(store: SqliteStore) -> None:
    """More of it in test_sqlite.py."""
    assert await store.purge(3600.0, 10) == 0
    assert await store.purge(-1.0, 10) == 3
    assert await store.read(wanted("work").id) is not None
