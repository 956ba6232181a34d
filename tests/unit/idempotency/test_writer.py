"""Rules for the thread that writes: many changes in one commit, told when they are durable."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from proxy.idempotency.store import StoreUnavailable
from tests.unit.idempotency.written import Bench


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    """A writer with room."""
    made = Bench(tmp_path)
    yield made
    made.close()


async def test_what_was_told_is_in_the_file(bench: Bench) -> None:
    """The future ends after the commit."""
    assert await bench.writer.submit(bench.put(1)) == 1
    assert bench.rows() == 1


async def test_each_future_that_ends_is_told_when_it_does(bench: Bench) -> None:
    """Also one that failed; one that its caller has left ended by itself."""
    told: list[object] = []
    bench.writer.ended = told.append
    gate = threading.Event()
    held = bench.writer.submit(lambda: gate.wait(10))
    left = bench.writer.submit(bench.put(1))

    def wrong() -> None:
        raise ValueError("no")

    fails = bench.writer.submit(wrong)
    left.cancel()
    gate.set()
    assert await held
    with pytest.raises(ValueError, match="no"):
        await fails
    assert told == [held, fails]


async def test_changes_that_wait_share_a_commit(bench: Bench) -> None:
    """While one commit is at work, the others gather."""
    gate = threading.Event()
    first = bench.writer.submit(lambda: gate.wait(10))
    others = [bench.writer.submit(bench.put(number)) for number in range(100)]
    assert bench.writer.waiting_s() > 0.0
    gate.set()
    assert await asyncio.gather(first, *others) == [True, *range(100)]
    assert bench.rows() == 100
    assert bench.commits <= 3
    assert bench.writer.waiting_s() == 0.0


async def test_the_rows_hear_of_a_batch_before_it_and_of_each_commit(bench: Bench) -> None:
    """Once for all changes of a batch, however many."""
    gate = threading.Event()
    first = bench.writer.submit(lambda: gate.wait(10))
    others = [bench.writer.submit(bench.put(0), one_row=True) for _ in range(5)]
    gate.set()
    await asyncio.gather(first, *others)
    assert bench.batches <= 2
    assert bench.flushed_at == list(range(bench.commits))
    assert not bench.alone


async def test_one_row_alone_is_a_commit_without_being_asked_for_one(bench: Bench) -> None:
    """Its one statement is; a change that may be of many rows gets a transaction."""
    assert await bench.writer.submit(bench.put(1), one_row=True) == 1
    assert (bench.alone, bench.commits, bench.rows()) == (True, 0, 1)
    assert await bench.writer.submit(bench.put(2)) == 2
    assert (bench.alone, bench.commits, bench.rows()) == (False, 1, 2)
    assert bench.batches == 2


async def test_one_row_alone_is_told_of_a_full_disk_like_many(tmp_path: Path) -> None:
    """What begins is refused, and what was begun goes into the room that was kept."""
    bench = Bench(tmp_path, pages_max=4)
    big = b"x" * 20_000
    assert await bench.writer.submit(bench.put(big), one_row=True) == big
    assert (bench.alone, bench.rows(), bench.writer.full, bench.undone) == (True, 1, True, 1)
    bench.writer.full = False
    bench.connection.execute("PRAGMA max_page_count = 1")
    with pytest.raises(StoreUnavailable):
        await bench.writer.submit(bench.put(big), begins=True, one_row=True)
    assert (bench.rows(), bench.writer.broken, bench.failures) == (1, False, [])
    bench.close()


async def test_a_change_that_fails_leaves_the_others(bench: Bench) -> None:
    """It is told to whoever asked, and to nobody else."""

    def fails() -> None:
        raise ValueError("no")

    wrong = bench.writer.submit(fails)
    right = bench.writer.submit(bench.put(1))
    with pytest.raises(ValueError, match="no"):
        await wrong
    assert await right == 1
    assert bench.rows() == 1


async def test_a_full_disk_stores_what_was_begun_and_refuses_what_begins(tmp_path: Path) -> None:
    """The room that was kept is for the answers in flight."""
    bench = Bench(tmp_path, pages_max=4)
    gate = threading.Event()
    held = bench.writer.submit(lambda: gate.wait(10))
    big = b"x" * 8000
    begins = bench.writer.submit(bench.put(big), begins=True)
    ends = bench.writer.submit(bench.put(big))
    gate.set()
    assert await held
    with pytest.raises(StoreUnavailable):
        await begins
    assert await ends == big
    assert (bench.rows(), bench.writer.full, bench.undone) == (1, True, 1)
    with pytest.raises(StoreUnavailable):
        await bench.writer.submit(bench.put(1), begins=True)
    assert await bench.writer.submit(bench.put(2)) == 2
    bench.writer.full = False
    assert await bench.writer.submit(bench.put(3), begins=True) == 3
    assert bench.failures == []
    bench.close()


async def test_a_full_disk_without_ballast_loses_nothing_that_was_told(tmp_path: Path) -> None:
    """The changes are refused, so whoever made them still has what they held."""
    bench = Bench(tmp_path, pages_max=4, room=False)
    with pytest.raises(StoreUnavailable):
        await bench.writer.submit(bench.put(b"x" * 20_000))
    assert (bench.rows(), bench.writer.full, bench.writer.broken) == (0, True, False)
    bench.close()


async def test_a_file_that_fails_is_the_end(bench: Bench) -> None:
    """Nobody knows what is on the disk, so nothing more is written or claimed."""

    def fails() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    with pytest.raises(StoreUnavailable):
        await bench.writer.submit(fails)
    await asyncio.sleep(0)
    assert bench.writer.broken
    assert bench.failures == ["disk I/O error"]
    with pytest.raises(StoreUnavailable):
        await bench.writer.submit(bench.put(1))
    assert bench.rows() == 0


async def test_a_caller_that_stops_waiting_is_no_error(bench: Bench) -> None:
    """Its change is made all the same."""
    gate = threading.Event()
    held = bench.writer.submit(lambda: gate.wait(10))
    left = bench.writer.submit(bench.put(1))
    left.cancel()
    gate.set()
    assert await held
    assert await bench.writer.submit(bench.put(2)) == 2
    assert bench.rows() == 2


async def test_what_can_wait_is_done_when_the_commit_is_told(bench: Bench) -> None:
    """So whoever waits for the commit does not wait for that."""
    gate = threading.Event()
    bench.tending = lambda: gate.wait(10)
    assert await bench.writer.submit(bench.put(1)) == 1
    later = bench.writer.submit(bench.put(2))
    bench.tending = bool
    gate.set()
    assert await later == 2
    assert bench.tended


async def test_it_hears_whether_somebody_waits(bench: Bench) -> None:
    """Then it may leave its work for another moment."""
    began, gate = threading.Event(), threading.Event()

    def work() -> bool:
        began.set()
        return gate.wait(10)

    first = bench.writer.submit(work)
    assert began.wait(10)
    second = bench.writer.submit(bench.put(2))
    gate.set()
    await asyncio.gather(first, second)
    while len(bench.tended) < 2:
        await asyncio.sleep(0.001)
    assert bench.tended == [False, True]


async def test_a_failure_between_commits_is_the_end(bench: Bench) -> None:
    """As in a commit: the file can be trusted no more."""

    def fail() -> None:
        raise sqlite3.OperationalError("disk I/O error")

    bench.tending = fail
    assert await bench.writer.submit(bench.put(1)) == 1
    while not bench.failures:
        await asyncio.sleep(0.001)
    assert bench.failures == ["disk I/O error"]
    assert bench.writer.broken
    with pytest.raises(StoreUnavailable):
        await bench.writer.submit(bench.put(2))
