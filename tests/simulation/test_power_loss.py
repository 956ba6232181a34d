"""Power loss without a disk that can lose power: every WAL that a cut could leave.

SQLite adds commits to the WAL and syncs it before a commit returns. Whatever of the
WAL was not synced may be missing, torn or garbage afterwards; what was synced is
there. So the length of the WAL is noted at each acknowledgement, and then a journal
is opened on every prefix that is at least as long, cut at each sector, with torn and
garbage tails: all that was acknowledged must be in it. That no sync is skipped is
not shown here; INC-24 loses the pages of a real file system for that.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import pytest

from proxy.idempotency.record import Record, Settle, State, Verdict
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.store import Query
from tests.unit.idempotency.values import fence, wanted

SECTOR_BYTES = 512
CALLS = 6
ANSWER_BYTES = 700


@dataclass(slots=True)
class Run:
    """A journal as it was written, and what had been acknowledged at which length of the WAL."""

    folder: Path
    acknowledged: list[tuple[int, Record]] = field(default_factory=list)
    """(bytes of the WAL, the row) in the order of the acknowledgements."""

    @property
    def wal(self) -> bytes:
        return (self.folder / "j.db-wal").read_bytes()

    def promised(self, length: int) -> dict[bytes, Record]:
        """The rows that had been acknowledged when the WAL was no longer than that."""
        return {row.id: row for at, row in self.acknowledged if at <= length}

    def reopened(self, folder: Path, wal: bytes) -> dict[bytes, Record]:
        """What a sidecar finds after a restart on this WAL."""
        folder.mkdir()
        shutil.copy(self.folder / "j.db", folder / "j.db")
        (folder / "j.db-wal").write_bytes(wal)
        rows = {row.id: row for row in find_after_restart(folder / "j.db")}
        shutil.rmtree(folder)
        return rows


def find_after_restart(path: Path) -> list[Record]:
    """The rows once the store has opened and resumed."""

    async def opened() -> list[Record]:
        store = SqliteStore(path, asyncio.get_running_loop(), wall=time.time, failed=lambda _: None)
        try:
            return list(find(path, Query()))
        finally:
            await store.close()

    return asyncio.run(opened())


async def written(folder: Path) -> Run:
    """A few calls through all their steps; each acknowledgement notes how long the WAL is."""
    folder.mkdir()
    path = folder / "live.db"
    store = SqliteStore(path, asyncio.get_running_loop(), wall=time.time, failed=lambda _: None)
    run = Run(folder)
    wal = path.with_name("live.db-wal")
    await store.counts()
    shutil.copy(path, folder / "j.db")

    def told(row: Record) -> None:
        run.acknowledged.append((wal.stat().st_size, row))

    for number in range(CALLS):
        verdict, row = await store.claim(wanted(f"k{number}"))
        assert verdict is Verdict.RUN  # told before it is durable, so nothing is promised of it
        told(await store.step(row.id, row.token, fence(attempt=1)))
        if number % 3:
            sealed = random.Random(number).randbytes(ANSWER_BYTES)
            told(await store.step(row.id, row.token, Settle(201, "answered", sealed)))
    shutil.copy(wal, folder / "j.db-wal")
    await store.close()
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Written once, cut many times; without the commit of the clock each second, whose bytes
    would stand where the check looks for a call's on a machine that is slow.
    """
    with mock.patch("proxy.idempotency.sqlite._KEPT_EVERY_S", 3600.0):
        return asyncio.run(written(tmp_path_factory.mktemp("power") / "run"))


def kept(promised: Record, found: Record | None) -> bool:
    """An answer is there as it was; a sending is in doubt, or has gone on."""
    if promised.state is State.SETTLED:
        return found == promised
    return found is not None and found.state in (State.IN_DOUBT, State.SETTLED)


def lost(run: Run, folder: Path, wal: bytes, synced: int) -> list[str]:
    """Keys of calls whose acknowledgement is not true any more, after `synced` bytes survived."""
    rows = run.reopened(folder, wal)
    latest = run.promised(synced)
    return [row.scope.key for row in latest.values() if not kept(row, rows.get(row.id))]


def cuts(run: Run) -> Iterator[int]:
    """Every length at which a sector ends."""
    return iter(range(0, len(run.wal) + SECTOR_BYTES, SECTOR_BYTES))


def test_the_lengths_are_those_of_a_log_that_only_grows(run: Run) -> None:
    """No checkpoint came between, and every acknowledgement but the first had its own bytes."""
    lengths = [length for length, _ in run.acknowledged]
    assert lengths == sorted(lengths)
    assert len(set(lengths)) > CALLS
    assert lengths[-1] == len(run.wal)


def test_a_log_that_ends_anywhere_has_what_was_acknowledged_before(
    run: Run, tmp_path: Path
) -> None:
    """Cut at each sector: whatever was acknowledged when the WAL was so long is there."""
    for cut in cuts(run):
        assert lost(run, tmp_path / "cut", run.wal[:cut], cut) == [], cut


@pytest.mark.parametrize("tail", ["garbage", "zeros", "old", "shuffled"])
def test_a_torn_tail_is_not_believed(run: Run, tmp_path: Path, tail: str) -> None:
    """What was not synced may be there in part, or be something else; what was, is there."""
    rng = random.Random(24)
    wal = run.wal
    for synced in [length for length, _ in run.acknowledged]:
        rest = bytearray(wal[synced:])
        for at in range(0, len(rest), SECTOR_BYTES):
            if rng.random() < 0.5:
                size = len(rest[at : at + SECTOR_BYTES])
                rest[at : at + size] = _other(tail, rng, wal, size)
        assert lost(run, tmp_path / "torn", wal[:synced] + rest, synced) == [], synced


def _other(tail: str, rng: random.Random, wal: bytes, size: int) -> bytes:
    """What stands in a sector that was not written."""
    if tail == "garbage":
        return rng.randbytes(size)
    at = 0 if tail == "old" else rng.randrange(0, len(wal) - size)
    return bytes(size) if tail == "zeros" else wal[at : at + size]


def test_a_log_that_is_too_short_is_caught(run: Run, tmp_path: Path) -> None:
    """The check is checked: with one sector less than was promised, something is missing."""
    for length in sorted({length for length, _ in run.acknowledged}):
        short = run.wal[: length - SECTOR_BYTES]
        assert lost(run, tmp_path / "short", short, length) != [], length
