"""`proxy.admin.live`: made once for all who look, in pieces; nobody waits for who is slow."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

from proxy.admin.live import (
    EVERY_S,
    PAUSE_S,
    PIECE_S,
    VIEWERS_MAX,
    WAITING_MAX,
    Live,
    Piece,
    Viewer,
)
from tests.support.manual_clock import ManualClock

ROW_S = 0.6 * PIECE_S


class _House:
    """Three slices, of which a test may change one; `made` counts pieces."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.rows = {"a": 1, "b": 2, "c": 3}
        self.made = 0
        self.fails = False
        self.slept: list[float] = []
        self.turns = 0
        """Of the loop, that were left to others without a pause."""
        self.in_turn: Callable[[], None] = lambda: None
        self.bugs: list[BaseException] = []
        self.cut = 0
        self.goes_on = asyncio.Event()
        """Otherwise looks of its own end with the first."""
        self.live = Live(self.pieces, self.bugs.append, self.sleep, self.clock.now)

    def pieces(self) -> Iterator[Piece]:
        """A document, then the rows; two take more than a piece may."""
        if self.fails:
            raise ValueError
        yield "about", "", {"version": 1}
        for key, value in self.rows.items():
            self.made += 1
            self.clock.advance(ROW_S)
            yield "rows", key, {"key": key, "value": value}

    async def sleep(self, seconds: float) -> None:
        """Time passes."""
        if seconds > 0.0:
            self.slept.append(seconds)
        else:
            self.turns += 1
            self.in_turn()
        self.clock.advance(seconds)
        await (asyncio.sleep(0) if seconds <= PAUSE_S else self.goes_on.wait())
        await asyncio.sleep(0)

    def join(self) -> Viewer:
        """Somebody looks."""
        viewer = self.live.join(self._cut)
        assert viewer is not None
        return viewer

    def _cut(self) -> None:
        self.cut += 1


def _heard(viewer: Viewer) -> list[tuple[str, Any]]:
    """(kind, document) of all that waits."""
    found = []
    while not viewer.waiting.empty():
        chunk = viewer.waiting.get_nowait()
        if chunk is not None:
            head, data = chunk.decode().strip().split("\n", 1)
            found.append((head.removeprefix("event: "), json.loads(data.removeprefix("data: "))))
    return found


async def test_nothing_runs_while_nobody_looks() -> None:
    """And nothing is kept when the last one has gone."""
    house = _House()
    house.goes_on.set()
    await asyncio.sleep(0)
    assert house.made == 0
    viewer = house.join()
    await asyncio.sleep(0.01)
    assert house.made > 0
    house.live.leave(viewer)
    await asyncio.sleep(0)
    before = house.made
    await asyncio.sleep(0.01)
    assert house.made == before
    assert _heard(house.join()) == []
    await house.live.close()


async def test_only_what_has_changed_is_sent_again() -> None:
    """Once for the document, then the one row."""
    house = _House()
    viewer = house.join()
    await asyncio.sleep(0.01)
    kinds = [kind for kind, _ in _heard(viewer)]
    assert kinds == ["about", "rows", "beat"]
    house.rows["b"] = 7
    await house.live.look()
    assert _heard(viewer)[0] == ("rows", [{"key": "b", "value": 7}])
    await house.live.close()


async def test_who_comes_later_gets_everything_that_is_known() -> None:
    """Without anything being made for it."""
    house = _House()
    first = house.join()
    await asyncio.sleep(0.01)
    made = house.made
    second = house.join()
    assert house.made == made
    assert [kind for kind, _ in _heard(second)] == ["about", "rows"]
    assert first is not second
    await house.live.close()


async def test_a_look_pauses_between_pieces_and_the_next_comes_a_second_later() -> None:
    """So that calls get their turn."""
    house = _House()
    house.rows = {str(number): number for number in range(20)}
    viewer = house.join()
    await asyncio.sleep(0.01)
    house.live.leave(viewer)
    *pauses, last_s = house.slept
    assert pauses == [PAUSE_S] * 10
    assert abs(last_s + 10 * PAUSE_S + 20 * ROW_S - EVERY_S) < 1e-6


async def test_each_viewer_is_written_to_in_a_turn_of_its_own() -> None:
    """Ten at once would hold the loop for as long as ten calls take; who has gone gets nothing."""
    house = _House()
    first, second = house.join(), house.join()
    await asyncio.sleep(0.01)
    _heard(first), _heard(second)
    house.turns, house.rows["b"] = 0, 7
    await house.live.look()
    assert house.turns == 4
    assert len(_heard(first)) == len(_heard(second)) == 2
    house.rows["b"], house.in_turn = 8, lambda: house.live.leave(second)
    await house.live.look()
    assert (len(_heard(first)), len(_heard(second))) == (2, 0)
    await house.live.close()


async def test_who_does_not_keep_up_is_dropped_and_nobody_waits() -> None:
    """Its connection is cut; the others go on."""
    house = _House()
    slow, quick = house.join(), house.join()
    await asyncio.sleep(0.01)
    _heard(quick)
    for number in range(WAITING_MAX):
        house.rows["a"] = number + 100
        await house.live.look()
        _heard(quick)
    assert house.cut == house.live.dropped == 1
    assert house.live.viewers == [quick]
    assert slow.waiting.get_nowait() is None
    await house.live.close()


async def test_viewers_are_bounded() -> None:
    """One more than may be is told so."""
    house = _House()
    for _ in range(VIEWERS_MAX):
        house.join()
    assert house.live.join(lambda: None) is None
    await house.live.close()
    assert house.live.viewers == []
    assert house.live.join(lambda: None) is None


async def test_a_bug_is_told_and_the_next_look_may_go_well() -> None:
    """Viewers stay."""
    house = _House()
    house.fails = True
    house.goes_on.set()
    viewer = house.join()
    await asyncio.sleep(0.005)
    assert house.bugs
    house.fails = False
    await asyncio.sleep(0.005)
    assert house.made > 0
    house.live.leave(viewer)
