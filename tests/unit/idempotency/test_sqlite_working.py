"""Rules for what a start finds at work: everything, wherever it stands in the file."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing

import pytest

from proxy.idempotency import sqlite
from proxy.idempotency.record import Release, State, Verdict
from proxy.idempotency.store import Query
from tests.unit.idempotency.disks import Disk
from tests.unit.idempotency.values import DOUBT, fence, wanted


async def test_what_came_to_work_again_is_resumed_like_the_rest(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rows at work begin is noted once a second; old rows came to work since."""
    monkeypatch.setattr(sqlite, "_KEPT_EVERY_S", 0.01)
    store = disk.open()
    tokens = {key: (await store.claim(wanted(key)))[1].token for key in "abcd"}
    await store.step(wanted("a").id, tokens["a"], Release("refused"))
    for key in "bc":
        await store.step(wanted(key).id, tokens[key], fence())
    await store.step(wanted("b").id, tokens["b"], DOUBT)
    await store.step(wanted("d").id, tokens["d"], Release("refused"))
    await _noted(disk)
    monkeypatch.setattr(sqlite, "_KEPT_EVERY_S", 3600.0)
    await asyncio.sleep(0.05)  # what is on its way is noted, too
    verdicts = []
    for key in "ab":
        verdict, row = await store.claim(wanted(key, resend_s={"a": 60.0}))
        await store.step(row.id, row.token, fence(attempt=row.attempt + 1))
        verdicts.append(verdict)
    assert verdicts == [Verdict.RUN, Verdict.RESEND]
    await store.close()
    monkeypatch.setattr(sqlite, "_KEPT_EVERY_S", 0.01)
    again = disk.open()
    assert again.resumed == {State.IN_DOUBT: 3}
    assert await again.counts() == {State.IN_DOUBT: 3, State.RELEASED: 1}
    await _noted(disk)
    assert (await again.find(Query(states=(State.CLAIMED, State.SENDING)))) == []


async def test_what_is_claimed_right_after_a_start_is_found_by_the_next(
    disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where everything before was purged, so that no row says which numbers were used."""
    monkeypatch.setattr(sqlite, "_KEPT_EVERY_S", 0.01)
    store = disk.open()
    for key in "abc":
        _, row = await store.claim(wanted(key))
        await store.step(row.id, row.token, Release("refused"))
    await _noted(disk)
    assert await store.purge(-1.0, 10) == 3
    await store.close()
    monkeypatch.setattr(sqlite, "_KEPT_EVERY_S", 3600.0)
    store = disk.open()
    await store.claim(wanted("d", fence=fence()))
    assert len(await store.find(Query(states=(State.SENDING,)))) == 1
    await store.close()
    assert disk.open().resumed == {State.IN_DOUBT: 1}


async def _noted(disk: Disk) -> None:
    """Wait until the store has noted twice what a start will want to know."""
    for _ in range(2):
        before = _meta(disk)["kept"]
        while _meta(disk)["kept"] == before:
            await asyncio.sleep(0.001)


def _meta(disk: Disk) -> dict[str, float]:
    with closing(sqlite3.connect(disk.path)) as other:
        return {"kept": -1.0} | dict(other.execute("SELECT name, value FROM meta").fetchall())
