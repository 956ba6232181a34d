"""Rules for waits that are all equally long: done by what they wait for, or by the time."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from proxy.idempotency.patience import Patience
from tests.unit.http1.fakes import VirtualLoop


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    """A loop whose clock moves only when told."""
    made = VirtualLoop()
    yield made
    made.end()
    assert made.errors == []


def test_each_wait_ends_after_its_own_time(loop: VirtualLoop) -> None:
    """Though one timer at a time serves them all; and again after a time without any."""
    patience = Patience(loop, 1.0)
    for _ in range(2):
        waiters = []
        for _ in range(4):
            waiters.append(patience.waiter())
            loop.advance(0.25)
            assert len(loop.timers()) <= 1
        ended = []
        for _ in range(4):
            ended.append(sum(waiter.done() for waiter in waiters))
            loop.advance(0.25)
        assert ended == [1, 2, 3, 4]
        assert loop.timers() == []


def test_a_wait_that_is_over_is_let_go(loop: VirtualLoop) -> None:
    """Thousands of calls a second must not leave a second's worth of futures behind."""
    patience = Patience(loop, 1.0)
    for _ in range(1000):
        patience.waiter().set_result(None)
    assert len(patience._waits) == 1


def test_the_time_ends_only_what_still_waits(loop: VirtualLoop) -> None:
    """One that was cancelled, or is done, stays as it is; those behind it end all the same."""
    patience = Patience(loop, 1.0)
    left, done, last = (patience.waiter() for _ in range(3))
    left.cancel()
    done.set_result(None)
    loop.advance(1.0)
    assert (left.cancelled(), done.done(), last.done()) == (True, True, True)


def test_after_the_end_no_timer_is_left(loop: VirtualLoop) -> None:
    """Else a loop that is closed would be told of it; with none running it ends as well."""
    patience = Patience(loop, 1.0)
    waiter = patience.waiter()
    patience.close()
    patience.close()
    loop.advance(5.0)
    assert not waiter.done()
