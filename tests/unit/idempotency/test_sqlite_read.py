"""Rules for reading a journal file beside the sidecar that holds it."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from proxy.idempotency import sqlite_read
from proxy.idempotency.record import State
from proxy.idempotency.rows import COLUMNS
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_read import counts, find, reading
from proxy.idempotency.sqlite_schema import SET_META
from proxy.idempotency.store import Query
from proxy.model.unsettled import Unsettled
from tests.unit.idempotency.tables import put_rows
from tests.unit.idempotency.values import NOW, later, row


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with one row."""
    connection = sqlite3.connect(tmp_path / "j #1.db")
    put_rows(connection, [row(State.SETTLED)])
    connection.commit()
    connection.close()
    return tmp_path / "j #1.db"


def test_rows_are_read(path: Path) -> None:
    """Whatever characters the path has."""
    assert find(path, Query()) == [row(State.SETTLED)]
    assert counts(path) == {State.SETTLED: 1}


def test_nothing_can_be_written(path: Path) -> None:
    """Not by mistake either."""
    with reading(path) as connection, pytest.raises(sqlite3.OperationalError, match="readonly"):
        connection.execute("DELETE FROM calls")


def test_a_file_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """An operator who mistypes a name must not read an empty journal."""
    with pytest.raises(sqlite3.OperationalError):
        find(tmp_path / "none.db", Query())
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
async def journal(tmp_path: Path) -> Path:
    """A journal that a store has made and left."""
    path = tmp_path / "journal.db"
    store = SqliteStore(path, asyncio.get_running_loop(), wall=lambda: 1.0, failed=lambda _: None)
    await store.close()
    return path


@pytest.mark.parametrize(
    ("states", "how"),
    [
        ((State.IN_DOUBT,), ["USING INDEX calls_in_doubt"]),
        ((State.CLAIMED, State.SENDING), ["USING INTEGER PRIMARY KEY (rowid>?)"]),
        ((State.SENDING, State.IN_DOUBT),
         ["USING INDEX calls_in_doubt", "USING INTEGER PRIMARY KEY (rowid>?)"]),
    ],
)  # fmt: skip
def test_rows_without_an_end_are_found_without_the_others(
    journal: Path, states: tuple[State, ...], how: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settler asks for them every second; among a million others that must cost nothing."""
    plans = _plans(monkeypatch)
    assert sqlite_read.find(journal, Query(states=states)) == []
    assert [any(each in plan for plan in plans) for each in how] == [True] * len(how)
    assert not any("SCAN calls" in plan and "INDEX" not in plan for plan in plans)


def test_what_is_at_work_is_looked_for_from_where_it_begins(tmp_path: Path) -> None:
    """Whatever the number is: of a row there it is told, and of one before it, which cannot be."""
    connection = sqlite3.connect(tmp_path / "j.db")
    states = [State.SENDING, State.IN_DOUBT, State.SENDING, State.SETTLED, State.CLAIMED]
    rows = [row(state, id=bytes([number]) * 16) for number, state in enumerate(states)]
    put_rows(connection, rows)
    connection.execute(SET_META, (sqlite_read.WORKING_FROM, 2))
    connection.commit()
    connection.close()
    at_work = (State.CLAIMED, State.SENDING)
    assert find(tmp_path / "j.db", Query(states=at_work)) == [rows[2], rows[4]]
    assert find(tmp_path / "j.db", Query(states=(*at_work, State.IN_DOUBT))) == [
        rows[1], rows[2], rows[4],
    ]  # fmt: skip
    assert find(tmp_path / "j.db", Query(states=(State.CLAIMED,))) == [rows[4]]
    assert find(tmp_path / "j.db", Query(states=())) == []
    assert len(find(tmp_path / "j.db", Query())) == 5


def test_rows_that_ended_are_read_from_the_table(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index has no row that ended, so a query for them must not be narrowed to it."""
    plans = _plans(monkeypatch)
    sqlite_read.find(journal, Query(states=(State.IN_DOUBT, State.SETTLED)))
    assert plans
    assert not any("calls_in_doubt" in plan for plan in plans)


def _plans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Fills with how SQLite goes about each query from now on."""
    plans: list[str] = []

    class Explained(sqlite3.Connection):
        """Explains a query before it runs it."""

        def execute(self, statement: str, *values: object) -> sqlite3.Cursor:
            """Note the plan, then run it."""
            found = super().execute(f"EXPLAIN QUERY PLAN {statement}", *values).fetchall()  # type: ignore[arg-type]
            plans.extend(row[3] for row in found)
            return super().execute(statement, *values)  # type: ignore[arg-type]

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *args, **names: connect(*args, factory=Explained, **names)
    )
    return plans


async def test_a_call_is_named_without_reading_a_million_rows(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the index of keys, block by block, and by the one of ids."""
    plans = _plans(monkeypatch)
    assert sqlite_read.named(journal, "abcdef12") == []
    by_key, by_id = [plan for plan in plans if "SEARCH calls USING INDEX" in plan]
    assert by_key.endswith("calls_block_key (<expr>=? AND idem_key=?)")
    assert by_id.endswith("calls_block_id (<expr>=? AND id>? AND id<?)")
    assert not any(plan.startswith("SCAN calls") for plan in plans)


def test_a_key_is_found_in_each_block_of_rows(path: Path) -> None:
    """The same key may stand in the oldest block, in the newest, and in several."""
    with closing(sqlite3.connect(path)) as connection, connection:
        names = ", ".join(name for name in COLUMNS if name not in ("id", "idem_key"))
        for number, key in ((4095, "far"), (4096, "twice"), (3_000_000, "twice")):
            connection.execute(
                f"INSERT INTO calls (number, id, idem_key, {names}) "
                f"SELECT ?, ?, ?, {names} FROM calls ORDER BY number LIMIT 1",
                (number, number.to_bytes(16, "big"), key),
            )
    found = {key: len(sqlite_read.named(path, key)) for key in ("far", "twice", "k1", "none")}
    assert found == {"far": 1, "twice": 2, "k1": 1, "none": 0}


def test_a_file_of_before_the_blocks_is_read_by_its_own_index(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until a sidecar of this release opens it."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("DROP INDEX calls_block_key")
        connection.execute("DROP INDEX calls_block_id")
        connection.execute("CREATE INDEX calls_key ON calls (idem_key)")
        connection.execute("CREATE INDEX calls_id ON calls (id)")
    plans = _plans(monkeypatch)
    assert len(sqlite_read.named(path, "k1")) == 1
    assert "SEARCH calls USING INDEX calls_key (idem_key=?)" in plans
    assert sqlite_read.named(path, "abcdef") == []
    assert "SEARCH calls USING INDEX calls_id (id>? AND id<?)" in plans


def test_counting_what_has_no_end_reads_nothing_else(
    journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is asked for every few seconds."""
    plans = _plans(monkeypatch)
    assert sqlite_read.unsettled(journal, 5.0) == []
    assert any("USING INDEX calls_in_doubt" in plan for plan in plans)
    assert any("USING INTEGER PRIMARY KEY (rowid>?)" in plan for plan in plans)
    assert not any("SCAN calls" in plan and "INDEX" not in plan for plan in plans)


def test_a_call_is_named_by_key_or_by_the_beginning_of_its_id(path: Path) -> None:
    """In upper case too; five digits name nobody, and neither does half a key."""
    (known,) = find(path, Query())
    digits = known.id.hex()
    for name in ("k1", digits, digits[:7], digits[:6].upper()):
        assert sqlite_read.named(path, name) == [known], name
    for name in ("k", "K1", digits[:5], digits[1:], digits + "0", ""):
        assert sqlite_read.named(path, name) == [], name


def test_what_has_no_end_is_counted_by_kind(tmp_path: Path) -> None:
    """With the first sending of each kind, or the first claim, and how many are old."""
    connection = sqlite3.connect(tmp_path / "j.db")
    kinds = [(State.IN_DOUBT, 0.0), (State.IN_DOUBT, 60.0), (State.CLAIMED, 9.0),
             (State.SETTLED, 0.0)]  # fmt: skip
    made = [
        row(state, later(at), id=bytes([number]) * 16) for number, (state, at) in enumerate(kinds)
    ]
    put_rows(connection, made)
    connection.commit()
    connection.close()
    found = sqlite_read.unsettled(tmp_path / "j.db", NOW.wall + 30.0)
    assert sorted(found, key=lambda each: each.state) == [
        Unsettled("claimed", "", "", "authorize", 1, NOW.wall + 9.0, 1),
        Unsettled("in_doubt", "acme", "a", "authorize", 2, NOW.wall, 1),
    ]


def test_only_rows_that_blocked_something(path: Path) -> None:
    """When they are asked for."""
    assert find(path, Query(blocked=True)) == []
    connection = sqlite3.connect(path)
    connection.execute("UPDATE calls SET blocked = 2, blocked_at = 7.0")
    connection.commit()
    connection.close()
    (found,) = find(path, Query(blocked=True))
    assert (found.blocked, found.blocked_at) == (2, 7.0)
