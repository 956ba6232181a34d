"""Rules for the embedded store."""

from __future__ import annotations

import sqlite3

import pytest

from proxy.idempotency.record import Claim, State, Step, Verdict
from proxy.idempotency.rows import COLUMNS, LINKS, values
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_read import find
from proxy.idempotency.sqlite_schema import LINKED, META
from proxy.idempotency.store import Query, StoreUnavailable
from proxy.model.errors import StartError
from tests.unit.idempotency.disks import Disk
from tests.unit.idempotency.values import DOUBT, SETTLE, fence, row, wanted

HOUR_S = 3600.0


async def settled(store: SqliteStore, claim: Claim) -> None:
    """One payment, from its claim to its answer."""
    _, row = await store.claim(claim)
    await store.step(row.id, row.token, fence())
    await store.step(row.id, row.token, SETTLE)


async def test_a_payment_from_claim_to_answer(disk: Disk) -> None:
    """And its answer for everybody who asks again, also after a restart."""
    store = disk.open()
    verdict, row = await store.claim(wanted())
    assert verdict is Verdict.RUN
    assert (await store.claim(wanted()))[0] is Verdict.BUSY
    await store.step(row.id, row.token, fence())
    done = await store.step(row.id, row.token, SETTLE)
    assert (await store.claim(wanted())) == (Verdict.REPLAY, done)
    await store.close()
    again = disk.open()
    assert (await again.claim(wanted())) == (Verdict.REPLAY, done)
    assert await again.read(row.id) == done
    assert await again.read(b"x" * 16) is None


async def test_what_a_dead_run_left_is_resumed(disk: Disk) -> None:
    """Unsent keys are free, sent ones in doubt; settled ones stay."""
    store = disk.open()
    lives: dict[str, list[Step]] = {"a": [], "b": [fence()], "c": [fence(), SETTLE]}
    for key, steps in lives.items():
        _, row = await store.claim(wanted(key))
        for made in steps:
            await store.step(row.id, row.token, made)
    await store.close()
    again = disk.open()
    assert again.resumed == {State.RELEASED: 1, State.IN_DOUBT: 1}
    verdicts = [(await again.claim(wanted(key, resend_s={})))[0] for key in "abc"]
    assert verdicts == [Verdict.RUN, Verdict.IN_DOUBT, Verdict.REPLAY]
    assert await again.counts() == {State.CLAIMED: 1, State.IN_DOUBT: 1, State.SETTLED: 1}


@pytest.mark.parametrize("jump_s", [25 * HOUR_S, -25 * HOUR_S, 10 * 365 * 24 * HOUR_S])
async def test_no_jump_of_the_wall_clock_purges_anything(disk: Disk, jump_s: float) -> None:
    """Rows age by the time that the journal was open."""
    store = disk.open()
    await settled(store, wanted())
    disk.clock.wall_jump_s = jump_s
    assert await store.purge(1.0, 100) == 0
    await store.close()
    assert await disk.open().purge(1.0, 100) == 0


async def test_what_stays_does_not_hide_what_must_go(disk: Disk) -> None:
    """Behind rows in doubt the next ones are looked at; and then it begins anew."""
    store = disk.open()
    for key in "abc":
        _, row = await store.claim(wanted(key))
        await store.step(row.id, row.token, fence())
        await store.step(row.id, row.token, DOUBT)
    await settled(store, wanted("d"))
    gone = [await store.purge(-1.0, 2) for _ in range(3)]
    assert gone == [0, 1, 0]
    await settled(store, wanted("e"))
    assert sum([await store.purge(-1.0, 2) for _ in range(3)]) == 1
    await settled(store, wanted("f"))
    assert [await store.purge(3600.0, 10) for _ in range(2)] == [0, 0]


async def test_the_promises_of_the_file_are_read_back(disk: Disk) -> None:
    """Private, written ahead, and synced at each commit."""
    disk.open()
    other = sqlite3.connect(disk.path)
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    other.close()
    assert disk.path.stat().st_mode & 0o777 == 0o600


async def test_a_format_of_another_release_is_refused(disk: Disk) -> None:
    """With both versions, and nothing is changed."""
    await disk.open().close()
    other = sqlite3.connect(disk.path)
    other.execute("UPDATE meta SET value = 99 WHERE name = 'version'")
    other.commit()
    other.close()
    with pytest.raises(StartError, match=r"format 99, this release reads 3"):
        disk.open()
    with pytest.raises(StartError, match=r"format 99"):
        disk.open()


async def test_a_file_of_the_format_before_is_brought_up_to_this_one(disk: Disk) -> None:
    """What it remembers stays, and new payments have links; readers manage before that."""
    older = sqlite3.connect(disk.path)
    older.execute(META)
    older.execute("INSERT INTO meta VALUES ('version', 1)")
    names = [name for name in COLUMNS if name not in LINKS]
    older.execute(
        f"CREATE TABLE calls (number INTEGER PRIMARY KEY, {', '.join(names)}, UNIQUE(id))"
    )
    known = row(State.SETTLED)
    kept = dict(zip(COLUMNS, values(known), strict=True))
    marks = ", ".join("?" * len(names))
    older.execute(
        f"INSERT INTO calls ({', '.join(names)}) VALUES ({marks})",
        [kept[name] for name in names],
    )
    older.commit()
    older.close()
    assert find(disk.path, Query()) == [known]
    store = disk.open()
    assert await store.read(known.id) == known
    await settled(store, wanted("k2", link=b"l" * 16))
    assert await store.linked(b"l" * 16) == [("acme", "a")]
    await store.close()
    assert await disk.open().read(known.id) == known


async def test_a_payment_is_found_by_its_links_without_reading_a_million_rows(disk: Disk) -> None:
    """Each of the two has an index, of those rows alone that have it."""
    await disk.open().close()
    connection = sqlite3.connect(disk.path)
    plan = connection.execute(f"EXPLAIN QUERY PLAN {LINKED}", (b"l", 1)).fetchall()
    connection.close()
    text = " ".join(step[3] for step in plan)
    assert "calls_link_request" in text
    assert "calls_link_answer" in text
    assert "SCAN" not in text


async def test_a_file_that_is_no_journal_is_refused(disk: Disk) -> None:
    """One sentence with the file and what to do; a second try is refused alike."""
    disk.path.write_bytes(b"no database" * 1000)
    for _ in range(2):
        with pytest.raises(StartError, match=r"cannot be used.*ask the partners"):
            disk.open()


async def test_closing_twice_is_once(disk: Disk) -> None:
    """The drain and a failed start may both do it."""
    store = disk.open()
    await store.close()
    await store.close()
    assert (store.waiting_s(), store.takes_claims) == (0.0, True)
    assert disk.failures == []


async def test_a_row_that_cannot_be_stops_the_start(disk: Disk) -> None:
    """Somebody changed it by hand; what else they changed, nobody knows."""
    store = disk.open()
    await store.claim(wanted())
    await store.close()
    other = sqlite3.connect(disk.path)
    other.execute("UPDATE calls SET execution = 'done'")
    other.commit()
    other.close()
    with pytest.raises(StartError, match=r"cannot be used: the row .* cannot be"):
        disk.open()


async def test_a_file_that_cannot_be_read_is_a_journal_that_is_away(disk: Disk) -> None:
    """Whoever looks for rows in doubt looks again later."""
    store = disk.open()
    disk.path.rename(disk.path.with_name("moved.db"))
    with pytest.raises(StoreUnavailable):
        await store.find(Query())
    with pytest.raises(StoreUnavailable):
        await store.counts()
