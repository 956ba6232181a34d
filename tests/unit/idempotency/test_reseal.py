"""Rules for sealing stored answers anew."""

from __future__ import annotations

import asyncio
import sqlite3
from pathlib import Path

import pytest

from proxy.idempotency import reseal as module
from proxy.idempotency.embedded import open_embedded
from proxy.idempotency.record import Doubt, Settle, State
from proxy.idempotency.reseal import Resealed, reseal_file
from proxy.idempotency.seal import Sealer, unpack
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.store import Query
from proxy.model.errors import StartError
from tests.support.manual_clock import ManualClock
from tests.support.values import response
from tests.unit.idempotency.values import fence, wanted

OLD, NEW = {"old": b"o" * 32}, {"new": b"n" * 32}


async def journal(path: Path) -> None:
    """Settled, in doubt with an answer, in doubt without, and never sent."""
    opened = open_embedded(
        path, OLD, 1.0, loop=asyncio.get_running_loop(), clock=ManualClock(),
        failed=lambda _: None, bug=lambda _: None,
    )  # fmt: skip
    for key in ("done", "lost", "silent", "free"):
        _, row = await opened.journal.claim(wanted(key))
        answer = opened.sealer.seal_answer(row.id, response(200, (), key.encode()))
        if key != "free":
            await opened.journal.step(row.id, row.token, fence())
        if key == "done":
            await opened.journal.step(row.id, row.token, Settle(200, "answered", answer))
        if key in ("lost", "silent"):
            made = Doubt("answered", 500, answer if key == "lost" else b"")
            await opened.journal.step(row.id, row.token, made)
    await opened.journal.close(1.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A journal whose answers are sealed with an old key."""
    asyncio.run(journal(tmp_path / "j.db"))
    return tmp_path / "j.db"


def test_every_answer_is_sealed_anew_and_then_opens_without_the_old_key(path: Path) -> None:
    """In whatever state its row is; a second run finds nothing to do."""
    heard: list[float] = []
    done = reseal_file(path, {**NEW, **OLD}, lambda progress: heard.append(progress.share))
    assert (done.changed, done.unreadable, heard[-1]) == (2, 0, 1.0)
    rows = [row for row in find(path, Query()) if row.answer]
    opened = {row.scope.key: unpack(Sealer(NEW).open(row.id, row.answer)).body for row in rows}
    assert opened == {"done": b"done", "lost": b"lost"}
    assert {row.state for row in rows} == {State.SETTLED, State.IN_DOUBT}
    assert reseal_file(path, {**NEW, **OLD}, lambda _: None).changed == 0


def test_a_run_that_was_cut_short_is_run_again(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch is a commit; the second run passes over what the first one did."""
    monkeypatch.setattr(module, "_ROWS", 1)

    def die(progress: Resealed) -> None:
        if progress.changed:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reseal_file(path, {**NEW, **OLD}, die)
    shares: list[float] = []
    assert reseal_file(path, {**NEW, **OLD}, lambda each: shares.append(each.share)).changed == 1
    assert shares == sorted(shares)


def test_answers_that_no_key_opens_are_counted_and_left(path: Path) -> None:
    """The right key may still be found."""
    before = {row.id: row.answer for row in find(path, Query())}
    done = reseal_file(path, NEW, lambda _: None)
    assert (done.changed, done.unreadable) == (0, 2)
    assert {row.id: row.answer for row in find(path, Query())} == before


def test_a_disk_that_fails_is_said(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the file, and that it may be run again."""

    def fail(*_: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr("proxy.idempotency.sqlite.reseal", fail)
    with pytest.raises(StartError, match=r"j\.db could not be written.*run it again"):
        reseal_file(path, {**NEW, **OLD}, lambda _: None)


async def test_a_journal_at_work_is_left_alone(path: Path) -> None:
    """Its sidecar seals with the keys that it has."""
    opened = open_embedded(
        path, OLD, 1.0, loop=asyncio.get_running_loop(), clock=ManualClock(),
        failed=lambda _: None, bug=lambda _: None,
    )  # fmt: skip
    with pytest.raises(StartError, match="in use"):
        await asyncio.to_thread(reseal_file, path, NEW, lambda _: None)
    await opened.journal.close(1.0)
