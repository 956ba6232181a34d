"""`proxy.telemetry.encoding`: a little at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from proxy.telemetry.encoding import Turns


class Loop:
    """Keeps what is to be done later."""

    def __init__(self) -> None:
        self.planned: list[Callable[[], None]] = []

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        assert 0 < seconds < 0.1
        self.planned.append(work)

    def turn(self) -> None:
        (work,) = self.planned
        self.planned = []
        work()


@pytest.mark.parametrize(("per_s", "each"), [(1.0, 1), (200.0, 1), (1000.0, 5)])
def test_each_turn_does_what_the_rate_needs(per_s: float, each: int) -> None:
    """One at least; a single turn is planned, and none when nothing is left."""
    loop, done = Loop(), list[int]()
    turns = Turns(loop.later, per_s)
    for number in range(2 * each):
        turns.add(lambda number=number: done.append(number))  # type: ignore[misc]
    loop.turn()
    assert (len(done), len(turns)) == (each, each)
    loop.turn()
    assert done == list(range(2 * each))
    assert loop.planned == []


def test_something_long_goes_on_step_by_step_beside_it() -> None:
    """A newer one takes its place."""
    loop, done = Loop(), list[str]()

    def long(name: str) -> Iterator[None]:
        for step in range(3):
            done.append(f"{name}{step}")
            yield

    turns = Turns(loop.later, 1.0)
    turns.begin(long("old"))
    loop.turn()
    turns.begin(long("new"))
    while loop.planned:
        loop.turn()
    assert done == ["old0", "new0", "new1", "new2"]


def test_at_the_end_all_is_done_at_once() -> None:
    """The drain waits for no turns."""
    loop, done = Loop(), list[str]()

    def long() -> Iterator[None]:
        for each in "cd":
            done.append(each)
            yield

    turns = Turns(loop.later, 1.0)
    turns.add(lambda: done.append("a"))
    turns.add(lambda: done.append("b"))
    turns.begin(long())
    turns.finish()
    turns.finish()
    assert done == ["a", "b", "c", "d"]
