"""Rules for the embedded journal as a whole."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.idempotency.embedded import Embedded, open_embedded, purge
from proxy.idempotency.journal import Journal
from proxy.idempotency.store import StoreUnavailable
from proxy.model.errors import StartError
from tests.support.manual_clock import ManualClock
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import fence, wanted


def opened(path: Path) -> Embedded:
    """A journal on this file."""
    return open_embedded(
        path, {"k1": b"k" * 32}, 1.0, loop=asyncio.get_running_loop(), clock=ManualClock(),
        failed=lambda _: None, bug=lambda _: None,
    )  # fmt: skip


async def test_what_an_operator_should_hear(tmp_path: Path) -> None:
    """That keys were made, once; and what the last run left in doubt."""
    first = opened(tmp_path / "j.db")
    assert any("made keys" in note for note in first.notes)
    _, row = await first.journal.claim(wanted())
    await first.journal.step(row.id, row.token, fence())
    await first.journal.close(1.0)
    second = opened(tmp_path / "j.db")
    assert any("1 calls in doubt" in note for note in second.notes)
    assert not any("made keys" in note for note in second.notes)
    with pytest.raises(StartError, match="in use"):
        opened(tmp_path / "j.db")
    await second.journal.close(1.0)


async def test_its_settler_asks_nobody_unless_told_whom(tmp_path: Path) -> None:
    """And has the journal's own keys."""
    journal = opened(tmp_path / "j.db")

    async def ask(upstream: str, target: bytes) -> None:
        raise AssertionError(f"asked {upstream} {target!r}")

    settler = journal.settler({}, ask, ManualClock())  # type: ignore[arg-type]
    await asyncio.wait_for(settler.run(), 1.0)
    await journal.journal.close(1.0)


async def test_what_ended_long_ago_is_purged_a_little_at_a_time() -> None:
    """Again at once while there is more, else once a minute; a journal that is away is left."""
    answers: list[int | Exception] = [500, 20, 0, StoreUnavailable(), 1]
    asked: list[tuple[float, int]] = []
    slept: list[float] = []

    class Rows(MemoryStore):
        """Tells how many rows it deleted."""

        async def purge(self, kept_s: float, limit: int) -> int:
            asked.append((kept_s, limit))
            answer = answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if not answers:
            raise asyncio.CancelledError

    store = Rows(ManualClock())
    journal = Journal(store, asyncio.get_running_loop(), 1.0, lambda _: None)
    with pytest.raises(asyncio.CancelledError):
        await purge(journal, 3600.0, sleep)
    assert asked == [(3600.0, 500)] * 5
    assert slept == [1.0, 1.0, 60.0, 60.0, 1.0]
