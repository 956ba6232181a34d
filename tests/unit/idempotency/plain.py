"""A store beside a plain dictionary of rows, turn by turn, for the randomised test of it."""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from proxy.idempotency import transitions
from proxy.idempotency.record import (
    TAKEN,
    Doubt,
    Instant,
    JournalError,
    Record,
    Release,
    Settle,
    State,
    Step,
    Superseded,
)
from proxy.idempotency.sqlite import SqliteStore
from proxy.idempotency.sqlite_read import find, named, unsettled
from proxy.idempotency.store import Query, StoreUnavailable
from proxy.idempotency.writer import Writer
from tests.unit.idempotency.tables import stored
from tests.unit.idempotency.values import fence, wanted

AT_WORK = (State.CLAIMED, State.SENDING)
_ENDED = (State.SETTLED, State.RELEASED)
_SHORT = 60
Change = tuple["asyncio.Future[Any]", Callable[[], Any]]
"""What the store was asked, and the same for the dictionary."""


class ByHand(Writer):
    """Without a thread: what was submitted is written when the test says so."""

    def _run(self) -> None:
        """Nobody waits for changes."""

    def turn(self, most: int) -> bool:
        """One batch of at most so many changes; whether there was one."""
        batch: list[Any] = []
        while len(batch) < most and not self._changes.empty():
            change = self._changes.get()
            if change is not None:
                batch.append(change)
        if batch:
            self._write(batch)
            self._deliver(batch)
            self._tend()
        return bool(batch)


class Plain:
    """Both of them, and the chance by which they are driven."""

    def __init__(self, seed: int, folder: Path) -> None:
        self.chance = random.Random(seed)
        self.rows: dict[bytes, Record] = {}
        self.keys = self.crashes = 0
        self.now = 1000.0
        self.failures: list[str] = []
        self._folder = folder
        self.path = folder / "0" / "j.db"
        self.open()

    def instant(self, _: object = None) -> Instant:
        """Both clocks are the same here."""
        return Instant(self.now, self.now)

    # -- starts and crashes -------------------------------------------------------------

    def open(self) -> None:
        """A start: what was at work is released or in doubt, and nothing else is changed."""
        self.store = SqliteStore(
            self.path, asyncio.get_running_loop(), wall=lambda: self.now,
            failed=self.failures.append,
        )  # fmt: skip
        assert isinstance(self.store._writer, ByHand)
        self.writer = self.store._writer
        self.writer._make_room = self._make_room
        left = [row for row in self.rows.values() if row.state in AT_WORK]
        after = [transitions.after_crash(row, self.instant()) for row in left]
        self.rows.update({row.id: row for row in after})
        states = [row.state for row in after]
        assert self.store.resumed == {state: states.count(state) for state in set(states)}

    async def crash(self) -> None:
        """Go on with the file as it is in this moment."""
        self.crashes += 1
        folder = self._folder / str(self.crashes)
        shutil.copytree(self.path.parent, folder, ignore=shutil.ignore_patterns("*-shm"))
        await self.store.close()
        shutil.rmtree(self.path.parent)
        self.path = folder / "j.db"
        self.open()

    def room(self, pages: int) -> None:
        """The disk has room for so many pages more."""
        execute = self.store._connection.execute
        pages += execute("PRAGMA page_count").fetchone()[0]
        execute(f"PRAGMA max_page_count = {pages}")

    def _make_room(self) -> bool:
        self.room(200)
        return self.chance.random() < 0.5

    # -- changes ------------------------------------------------------------------------

    def claim(self) -> Change:
        """Of a new key, or of one that may be anything."""
        key = self.chance.randrange(self.keys + 1 + self.keys // 2)
        self.keys += key >= self.keys
        first = fence() if self.chance.random() < 0.6 else None
        asked = wanted(f"k{min(key, self.keys - 1)}", fence=first, salt=self.chance.randrange(5))

        def same() -> object:
            verdict, row = transitions.claim(self.rows.get(asked.id), asked, self.instant())
            if verdict in TAKEN:
                self.rows[row.id] = row
            return verdict, row

        return self.store.claim(asked), same

    def step(self) -> Change:
        """Mostly of a row without an end, and under its token."""
        mine = [row for row in self.rows.values() if row.state not in _ENDED]
        row = self.chance.choice(mine or list(self.rows.values()))
        token = row.token + (self.chance.random() < 0.05)
        answer = self.chance.randbytes(self.chance.choice((10, 3000)))
        made = self.chance.choice((
            fence(attempt=row.attempt + 1, partner_key=row.partner_key or "tg-1"),
            Settle(201, "answered", answer), Doubt("reset"), Release("refused", of_all=True),
        ))  # fmt: skip
        return self._step(row, token, made)

    def _step(self, row: Record, token: int, made: Step) -> Change:
        def same() -> object:
            after = transitions.step(self.rows.get(row.id), token, made, self.instant())
            self.rows[row.id] = after
            return after

        return self.store.step(row.id, token, made), same

    def ends(self) -> list[Change]:
        """Nothing is at work any more."""
        mine = [row for row in self.rows.values() if row.state in AT_WORK]
        return [self._step(row, row.token, Release("refused", of_all=True)) for row in mine]

    def purge(self, kept_s: float = 10.0) -> Change:
        """Of what ended so long ago."""

        def same() -> object:
            gone = [
                row.id for row in self.rows.values()
                if row.state in _ENDED and row.changed_kept < self.now - kept_s
            ]  # fmt: skip
            for row_id in gone:
                del self.rows[row_id]
            return len(gone)

        return asyncio.ensure_future(self.store.purge(kept_s, 100_000)), same

    def note_blocked(self) -> Change:
        """Of some keys, whether or not they have a row."""
        keys = [self.chance.randrange(self.keys + 1) for _ in range(3)]
        said = {wanted(f"k{key}").id: (1, self.now) for key in keys}

        def same() -> None:
            for row_id in said.keys() & self.rows.keys():
                row = self.rows[row_id]
                self.rows[row_id] = replace(row, blocked=row.blocked + 1, blocked_at=self.now)

        return asyncio.ensure_future(self.store.note_blocked(said)), same

    def reseal(self) -> Change:
        """Short answers become longer."""

        def longer(_: bytes, answer: bytes) -> bytes | None:
            return answer + b"+" if len(answer) < _SHORT else None

        def same() -> object:
            short = [row for row in self.rows.values() if 0 < len(row.answer) < _SHORT]
            self.rows.update({row.id: replace(row, answer=row.answer + b"+") for row in short})
            return b"", len(short)

        return asyncio.ensure_future(self.store.reseal(longer, 100_000, b"")), same

    def note(self) -> Change:
        """What the store does once a second."""
        return self.store._writer.submit(lambda: self.store._note(self.now)), lambda: None

    async def agree(self, changes: list[Change]) -> None:
        """Write them in batches of any size; what is told is true, or nothing was changed."""
        while self.writer.turn(self.chance.choice((1, 1, 2, 5, 256))):
            pass
        for asked, same in changes:
            try:
                told: object = await asked
            except StoreUnavailable:
                continue
            except (JournalError, Superseded) as error:
                told = type(error)
            try:
                expected = same()
            except (JournalError, Superseded) as error:
                expected = type(error)
            assert told == expected
        assert not self.failures

    # -- looks --------------------------------------------------------------------------

    def look(self) -> None:
        """The file has these rows, each once, and those at work are seen beside the store."""
        rows = list(stored(self.store._connection).values())
        assert {row.id: row for row in rows} == self.rows
        assert len(rows) == len(self.rows)
        mine = {row.id for row in rows if row.state in AT_WORK}
        assert {row.id for row in find(self.path, Query(states=AT_WORK))} == mine

    def look_closely(self) -> None:
        """Each is found by its id, and beside the running store by its key and id."""
        held = self.store._rows
        held.begin(alone=False)
        for key in range(self.keys + 1):
            row_id = wanted(f"k{key}").id
            assert held.load(row_id) == self.rows.get(row_id)
        without_end = [row for row in self.rows.values() if row.state not in _ENDED]
        assert sum(each.number for each in unsettled(self.path, 0.0)) == len(without_end)
        for row in self.chance.sample(list(self.rows.values()), min(3, len(self.rows))):
            assert row in named(self.path, row.scope.key)
            assert row in named(self.path, row.id.hex())
