"""Rules for the lazy timer: it expires when last told to, once, and costs no loop timer to move."""

from __future__ import annotations

import asyncio
import time

from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.timer import NEVER, LazyTimer
from tests.unit.http1.fakes import START, VirtualLoop


class Bell:
    """A timer on virtual time that notes when it expired."""

    def __init__(self, loop: VirtualLoop) -> None:
        self.loop = loop
        self.rang_at: list[float] = []
        self.timer = LazyTimer(loop, loop.time, lambda: self.rang_at.append(loop.time() - START))

    def arm(self, after_s: float) -> None:
        """Expire so many seconds after START."""
        self.timer.arm(START + after_s)


def test_it_expires_once_and_not_early(loop: VirtualLoop) -> None:
    """At its instant, and never again by itself."""
    bell = Bell(loop)
    bell.arm(2.0)
    loop.advance(1.9)
    assert bell.rang_at == []
    loop.advance(0.1)
    loop.advance(100.0)
    assert bell.rang_at == [2.0]


def test_it_can_be_moved_later(loop: VirtualLoop) -> None:
    """The loop timer wakes in between and goes to sleep again."""
    bell = Bell(loop)
    bell.arm(1.0)
    bell.arm(3.0)
    for _ in range(4):
        loop.advance(1.0)
    assert bell.rang_at == [3.0]


def test_it_can_be_moved_earlier(loop: VirtualLoop) -> None:
    """Then the loop timer that runs is too late, and is replaced."""
    bell = Bell(loop)
    bell.arm(3.0)
    bell.arm(1.0)
    for _ in range(4):
        loop.advance(1.0)
    assert bell.rang_at == [1.0]


def test_disarmed_it_does_not_expire(loop: VirtualLoop) -> None:
    """Nor does it when it is armed again in the meantime: the last word counts."""
    bell = Bell(loop)
    bell.arm(1.0)
    bell.timer.disarm()
    loop.advance(1.0)
    assert bell.rang_at == []
    bell.arm(5.0)
    bell.timer.disarm()
    bell.arm(4.0)
    loop.advance(3.0)
    assert bell.rang_at == [4.0]


def test_the_past_expires_at_once(loop: VirtualLoop) -> None:
    """In the next pass of the loop, not inside `arm`."""
    bell = Bell(loop)
    bell.arm(-5.0)
    assert bell.rang_at == []
    loop.settle()
    assert bell.rang_at == [0.0]


def test_it_may_be_armed_while_it_expires(loop: VirtualLoop) -> None:
    """Expiry is how one deadline leads to the next."""
    rang_at: list[float] = []

    def expired() -> None:
        rang_at.append(loop.time() - START)
        if len(rang_at) < 3:
            timer.arm(loop.time() + 1.0)

    timer = LazyTimer(loop, loop.time, expired)
    timer.arm(START + 1.0)
    for _ in range(5):
        loop.advance(1.0)
    assert rang_at == [1.0, 2.0, 3.0]


def test_moving_it_later_makes_no_loop_timer(loop: VirtualLoop) -> None:
    """A thousand calls that each arm and disarm it share one."""
    bell = Bell(loop)
    for number in range(1000):
        bell.arm(10.0 + number)
        bell.timer.disarm()
    assert len(loop.made) == 1
    loop.advance(5000.0)
    assert bell.rang_at == []
    assert len(loop.made) == 1


def test_closing_gives_the_loop_timer_back(loop: VirtualLoop) -> None:
    """A closed connection is not held by a timer that sleeps for another minute."""
    bell = Bell(loop)
    bell.arm(1.0)
    bell.timer.close()
    bell.timer.close()
    assert loop.timers() == []
    loop.advance(10.0)
    assert bell.rang_at == []


COMMANDS = st.one_of(
    st.tuples(st.just("arm"), st.integers(0, 20)),
    st.tuples(st.just("advance"), st.integers(1, 7)),
    st.tuples(st.sampled_from(["disarm", "close"]), st.just(0)),
)


@settings(max_examples=60)
@given(st.lists(COMMANDS, max_size=15))
def test_it_equals_a_timer_that_is_made_anew_each_time(commands: list[tuple[str, int]]) -> None:
    """Whatever is asked of it, it expires at the end of the very step that passes its instant."""
    loop = VirtualLoop()
    bell = Bell(loop)
    now, due, expected = 0, NEVER, []
    for command, amount in commands:
        if command == "arm":
            due = now + amount
            bell.arm(due)
        elif command == "advance":
            now += amount
            loop.advance(amount)
        else:
            due = NEVER
            bell.timer.disarm() if command == "disarm" else bell.timer.close()
        loop.settle()
        if due <= now:
            expected.append(float(now))
            due = NEVER
    assert bell.rang_at == expected
    loop.end()


async def test_on_a_real_loop_it_is_neither_early_nor_lost() -> None:
    """Uvloop rounds timers to milliseconds, which may wake it too early: it sleeps again."""
    expired = asyncio.Event()
    timer = LazyTimer(asyncio.get_running_loop(), time.monotonic, expired.set)
    for _ in range(5):
        expired.clear()
        when = time.monotonic() + 0.0024
        timer.arm(when - 0.002)
        timer.arm(when)
        await expired.wait()
        assert time.monotonic() >= when
