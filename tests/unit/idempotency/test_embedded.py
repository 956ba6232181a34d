"""Rules for the embedded journal as a whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.idempotency.embedded import open_embedded
from proxy.idempotency.opened import Opened
from proxy.idempotency.reseal import reseal_file
from proxy.model.errors import StartError
from proxy.model.outcome import Outcome
from proxy.model.settling import Question
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.values import fence, wanted


def opened(path: Path) -> Opened:
    """A journal on this file."""
    return open_embedded(
        path, {"k1": b"k" * 32}, 1.0, loop=asyncio.get_running_loop(), clock=ManualClock(),
        failed=lambda _: None, bug=lambda _: None,
    )  # fmt: skip


async def test_what_an_operator_should_hear(tmp_path: Path) -> None:
    """That keys were made, once; and what the last run left in doubt."""
    first = opened(tmp_path / "j.db")
    said = await first.open()
    assert any("made keys" in note for note in said)
    _, row = await first.journal.claim(wanted())
    await first.journal.step(row.id, row.token, fence())
    await first.journal.close(1.0)
    second = opened(tmp_path / "j.db")
    said = await second.open()
    assert any("1 calls in doubt" in note for note in said)
    assert not any("made keys" in note for note in said)
    with pytest.raises(StartError, match="in use"):
        opened(tmp_path / "j.db")
    await second.journal.close(1.0)


async def test_its_settler_asks_nobody_unless_told_whom(tmp_path: Path) -> None:
    """And has the journal's own keys."""
    journal = opened(tmp_path / "j.db")

    async def ask(upstream: str, asked: Question) -> Outcome:
        raise AssertionError(f"asked {upstream} {asked!r}")

    settler = journal.settler({}, ask, ManualClock(), attempts_max=9, emit=lambda _: None)
    await asyncio.wait_for(settler.run(), 1.0)
    await journal.journal.close(1.0)


async def test_its_store_says_at_once_what_has_ended(tmp_path: Path) -> None:
    """So a call does not wait a turn of the loop more for each commit."""
    journal = opened(tmp_path / "j.db").journal
    woken: list[bool] = []
    waiter = asyncio.get_running_loop().create_future()
    asked = asyncio.ensure_future(journal.store.claim(wanted()))
    asked.add_done_callback(lambda _: woken.append(waiter.done()))
    journal.own(asked, waiter)
    await waiter
    await asyncio.sleep(0)
    assert woken == [True]
    await journal.close(1.0)


async def test_keys_of_another_journal_are_refused(tmp_path: Path) -> None:
    """Under them a payment that it knows would look new, and be made again."""
    for name in ("a.db", "b.db"):
        await opened(tmp_path / name).journal.close(1.0)
    own = (tmp_path / "a.db.keys").read_bytes()
    (tmp_path / "a.db.keys").write_bytes((tmp_path / "b.db.keys").read_bytes())
    for _ in range(2):
        with pytest.raises(StartError, match=r"a\.db and the keys beside it do not belong"):
            opened(tmp_path / "a.db")
    with pytest.raises(StartError, match="do not belong together"):
        await asyncio.to_thread(reseal_file, tmp_path / "a.db", {}, lambda _: None)
    (tmp_path / "a.db.keys").write_bytes(own)
    assert await opened(tmp_path / "a.db").journal.close(1.0)


async def test_a_journal_that_is_gone_is_missed(tmp_path: Path) -> None:
    """Its keys show that there was one; where there are none either, it is the first start."""
    first = opened(tmp_path / "j.db")
    assert not any("begins empty" in note for note in await first.open())
    await first.journal.close(1.0)
    (tmp_path / "j.db").unlink()
    second = opened(tmp_path / "j.db")
    assert any("begins empty, and knows of no earlier call" in note for note in await second.open())
    await second.journal.close(1.0)
