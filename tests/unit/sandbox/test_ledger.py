"""Rules for the partner's ledger."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.sandbox.ledger import Ledger, LedgerError, rows_of

MEMBERS: dict[str, Any] = {
    "reference": "r",
    "idempotency_key": None,
    "amount": 100,
    "currency": "EUR",
    "scheme": "visa",
    "nonce": None,
}


@asynccontextmanager
async def opened(
    path: Path, on_failure: Callable[[], None] = lambda: None
) -> AsyncIterator[Ledger]:
    """An open ledger of the partner p."""
    ledger = Ledger(path, "p", on_failure)
    try:
        yield ledger
    finally:
        ledger.close()


async def test_a_row_is_reported_only_after_fdatasync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The future of a row stays open while the disk has not confirmed it, and so does `durable`."""
    begun, may_end = threading.Event(), threading.Event()
    really = os.fdatasync

    def slow(fd: int) -> None:
        begun.set()
        may_end.wait(10)
        really(fd)

    monkeypatch.setattr(os, "fdatasync", slow)
    async with opened(tmp_path / "l") as ledger:
        _, stored = ledger.write("ch", "authorize", **MEMBERS)
        await asyncio.to_thread(begun.wait, 10)
        asked = asyncio.create_task(ledger.durable())
        await asyncio.sleep(0)
        assert not stored.done()
        assert not asked.done()
        assert ledger.since(0) == b"[]"
        may_end.set()
        await asyncio.gather(stored, asked)
        assert len(json.loads(ledger.since(0))) == 1


async def test_rows_that_gather_are_synced_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thousand rows at once cost a few syncs, and stand in the file in order."""
    syncs = []
    really = os.fdatasync

    def counted(fd: int) -> None:
        syncs.append(fd)
        really(fd)

    monkeypatch.setattr(os, "fdatasync", counted)
    async with opened(tmp_path / "l") as ledger:
        await asyncio.gather(*(ledger.write("ch", "authorize", **MEMBERS)[1] for _ in range(1_000)))
    assert len(syncs) < 100
    rows = rows_of((tmp_path / "l").read_bytes(), "p")
    assert [row.seq for row in rows] == list(range(1, 1_001))
    assert len({row.id for row in rows}) == 1_000


async def test_a_torn_last_line_is_cut_off_and_the_count_goes_on(tmp_path: Path) -> None:
    """A kill while writing costs the row that nobody was told about, and nothing else."""
    path = tmp_path / "l"
    async with opened(path) as ledger:
        for _ in range(2):
            await ledger.write("ch", "authorize", **MEMBERS)[1]
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines()[0][:40])
    async with opened(path) as ledger:
        assert [row.seq for row in ledger.found] == [1, 2]
        row, stored = ledger.write("ch", "authorize", **MEMBERS)
        await stored
        assert row.seq == 3
        assert ledger.written == 1
    assert [row.seq for row in rows_of(path.read_bytes(), "p")] == [1, 2, 3]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda lines: [b"{}", *lines], "line 1 is not a ledger row"),
        (lambda lines: [lines[0], b"\xff", lines[1]], "line 2 is not a ledger row"),
        (lambda lines: [lines[1], lines[0]], "line 1 carries another sequence number"),
        (lambda lines: [lines[0].replace(b'"p"', b'"q"')], "line 1 belongs to another partner"),
    ],
)
async def test_a_ledger_that_was_tampered_with_is_not_opened(
    tmp_path: Path, spoil: Callable[[list[bytes]], list[bytes]], said: str
) -> None:
    """Only the end of the last line may be missing; anything else is an error with its line."""
    path = tmp_path / "l"
    async with opened(path) as ledger:
        for _ in range(2):
            await ledger.write("ch", "authorize", **MEMBERS)[1]
    path.write_bytes(b"\n".join(spoil(path.read_bytes().splitlines())) + b"\n")
    with pytest.raises(LedgerError, match=said):
        Ledger(path, "p", lambda: None)


async def test_a_ledger_has_one_writer(tmp_path: Path) -> None:
    """A second process, or a second opening, is refused while the first lasts."""
    async with opened(tmp_path / "l"):
        with pytest.raises(LedgerError, match="another partner process"):
            Ledger(tmp_path / "l", "p", lambda: None)
    async with opened(tmp_path / "l") as again:
        assert again.found == []


async def test_since_gives_the_rows_after_a_number(tmp_path: Path) -> None:
    """A reader that remembers the last number it saw gets each row once."""
    async with opened(tmp_path / "l") as ledger:
        for _ in range(3):
            await ledger.write("ch", "authorize", **MEMBERS)[1]
        assert [row["seq"] for row in json.loads(ledger.since(2))] == [3]
        assert json.loads(ledger.since(3)) == []
        assert len(json.loads(ledger.since(-5))) == 3


async def test_a_disk_that_refuses_is_told_and_nothing_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The waiting request gets the failure, never an answer, and the process is told to end."""

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    told: list[bool] = []
    monkeypatch.setattr(os, "fdatasync", full)
    async with opened(tmp_path / "l", lambda: told.append(True)) as ledger:
        with pytest.raises(LedgerError, match="No space left"):
            await ledger.write("ch", "authorize", **MEMBERS)[1]
    assert told == [True]
