"""Rules for what operators see, and for their word."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from proxy.idempotency import operator
from proxy.idempotency.record import JournalError, State, Step, Verdict
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.store import Query
from proxy.model.errors import StartError
from tests.support.manual_clock import ManualClock
from tests.support.older_journal import age_format
from tests.unit.idempotency.values import DOUBT, RELEASE, SETTLE, fence, wanted

LIVES: dict[str, list[Step]] = {
    "free": [RELEASE],
    "done": [fence(), SETTLE],
    "lost": [fence(), DOUBT],
}


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    """A journal with a call of each kind, that nobody holds."""
    clock = ManualClock()
    store = SqliteStore(
        tmp_path / "j.db", asyncio.get_running_loop(), wall=clock.wall, failed=lambda _: None
    )
    for key, steps in LIVES.items():
        _, row = await store.claim(wanted(key, reference=f"ref-{key}"))
        for made in steps:
            await store.step(row.id, row.token, made)
        clock.advance(10.0)
    await store.close()
    return tmp_path / "j.db"


def test_all_pages_are_read_up_to_the_limit(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page begins behind the last one."""
    monkeypatch.setattr(operator, "_PAGE", 1)
    assert len(list(operator.all_rows(path, Query()))) == 3
    assert len(list(operator.all_rows(path, Query(limit=2)))) == 2
    assert len(list(operator.all_rows(path, Query(states=(State.SETTLED,))))) == 1


def test_a_call_is_named_by_key_or_by_the_start_of_its_id(path: Path) -> None:
    """A start that is too short names nobody."""
    (row,) = operator.named(path, "lost")
    assert operator.named(path, row.id.hex()[:8].upper()) == [row]
    assert operator.named(path, row.id.hex()[:4]) == []
    assert operator.named(path, "none") == []


@pytest.mark.parametrize(
    ("done", "verdict"), [(True, Verdict.REPLAY), (False, Verdict.RUN)], ids=["done", "none"]
)
async def test_an_operators_word_ends_a_doubt(path: Path, done: bool, verdict: Verdict) -> None:
    """With the reason on record; the key is replayed, or free."""
    (row,) = operator.named(path, "lost")
    after = operator.resolve(path, row.id, done=done, reason="asked by phone", wall=5.0)
    assert (after.note, after.reason) == ("asked by phone", "resolved")
    store = SqliteStore(path, asyncio.get_running_loop(), wall=lambda: 5.0, failed=lambda _: None)
    assert (await store.claim(wanted("lost")))[0] is verdict
    await store.close()


def test_what_has_ended_is_not_decided_anew(path: Path) -> None:
    """Nor a call that is not there; and nothing is changed."""
    (row,) = operator.named(path, "done")
    with pytest.raises((JournalError, StartError), match="cannot follow"):
        operator.resolve(path, row.id, done=False, reason="x", wall=5.0)
    with pytest.raises(StartError, match="no call"):
        operator.resolve(path, b"x" * 16, done=True, reason="x", wall=5.0)
    assert operator.named(path, "done") == [row]


async def test_a_journal_at_work_is_left_alone(path: Path, tmp_path: Path) -> None:
    """Two writers would be one too many; a file that is not there is not made."""
    (row,) = operator.named(path, "lost")
    store = SqliteStore(path, asyncio.get_running_loop(), wall=lambda: 5.0, failed=lambda _: None)
    with pytest.raises(StartError, match="in use"):
        operator.resolve(path, row.id, done=True, reason="x", wall=5.0)
    await store.close()
    with pytest.raises(StartError, match="no journal"):
        operator.resolve(tmp_path / "none.db", row.id, done=True, reason="x", wall=5.0)
    assert not (tmp_path / "none.db").exists()


def test_a_file_is_a_source_like_a_shared_journal(path: Path) -> None:
    """The commands do not know which of them they ask."""
    source: operator.Source = operator.FileSource(path)
    assert len(list(source.rows(Query()))) == 3
    (row,) = source.named("lost")
    after = source.resolve(row.id, done=False, reason="x", wall=5.0)
    assert (after.state, after.token) == (State.RELEASED, row.token + 1)
    with pytest.raises(StartError, match="has lost its keys"):
        source.reseal({"k": b"k" * 32}, lambda _: None)


@pytest.mark.parametrize("version", [1, 2])
def test_a_word_is_taken_before_the_first_start_of_a_release(path: Path, version: int) -> None:
    """The file is brought up to its format first."""
    age_format(path, version)
    (row,) = operator.named(path, "lost")
    after = operator.resolve(path, row.id, done=True, reason="asked by phone", wall=5.0)
    assert after.state is State.SETTLED
    assert operator.named(path, "lost") == [after]
