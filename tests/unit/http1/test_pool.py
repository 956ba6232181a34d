"""Rules for the pool: who gets which connection, in which order, and what is kept.

Connections are real ones on fake transports; opening them is up to the test.
The limits: two connections, two idle, four waiters, two lingering, idle 15 s, age 600 s.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from proxy.http1.exchange import Result
from proxy.model.call import Progress
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.unit.http1.fakes import START, VirtualLoop, timeouts
from tests.unit.http1.partner import REFUSED, Partner

NOBODY = {"idle": 0, "busy": 0, "lingering": 0, "opening": 0, "waiting": 0}


@pytest.fixture
def partner(loop: VirtualLoop) -> Iterator[Partner]:
    """A pool of the limits above."""
    with Partner(loop).connecting() as partner:
        yield partner


def counts(partner: Partner, **over: int) -> None:
    """Look at the pool's counts; those that are not named must be 0."""
    partner.loop.settle()
    assert partner.pool.counts() == NOBODY | over


def body(task: asyncio.Task[Result]) -> bytes:
    """The answer's body."""
    result = task.result()
    assert isinstance(result, Response), result
    return result.body


# -- taking and keeping -------------------------------------------------------------


def test_a_first_call_opens_a_connection(partner: Partner) -> None:
    """Which is counted from the first moment, and is idle once it was answered."""
    task = partner.begin(b"one")
    counts(partner, opening=1)
    partner.admit()
    counts(partner, busy=1)
    partner.answer()
    counts(partner, idle=1)
    assert body(task) == b"one"


def test_a_pool_is_busy_while_an_exchange_is_at_work(partner: Partner) -> None:
    """Not while a connection is opened for it, or is idle."""
    seen = [partner.pool.busy]
    partner.begin()
    seen.append(partner.pool.busy)
    partner.admit()
    partner.loop.settle()
    seen.append(partner.pool.busy)
    partner.answer()
    partner.loop.settle()
    seen.append(partner.pool.busy)
    assert seen == [False, False, True, False]


def test_an_idle_connection_is_taken_before_another_is_opened(partner: Partner) -> None:
    """The one used last, for it is the likeliest to be alive."""
    first, second = partner.idle(2)
    partner.begin()
    assert (first.writes, second.writes) == (1, 2)
    counts(partner, idle=1, busy=1)
    assert partner.opening == []


def test_a_connection_with_something_to_read_is_not_taken(partner: Partner) -> None:
    """Not even if the loop has not delivered it yet: it is cut, and the next one is looked at."""
    first, second = partner.idle(2)
    second.peer.send(b"HTTP/1.1 408 x\r\n\r\n")
    partner.begin()
    assert second.was_aborted()
    assert first.writes == 2
    counts(partner, busy=1)


@pytest.mark.parametrize(("seconds", "taken"), [(15.0, True), (15.5, False)])
def test_an_idle_connection_grows_too_old(partner: Partner, seconds: float, taken: bool) -> None:
    """The partner's side is about to close it, so it is not given a charge."""
    (transport,) = partner.idle(1)
    partner.loop.advance(seconds)
    partner.begin()
    assert (transport.writes == 2) is taken
    assert transport.was_aborted() is not taken


def test_a_connection_has_an_age(loop: VirtualLoop) -> None:
    """However busy it is kept: addresses change, and it would never notice."""
    with Partner(loop, age_max_s=20.0).connecting() as partner:
        (transport,) = partner.idle(1)
        for _ in range(2):
            loop.advance(10.0)
            partner.begin()
            partner.answer()
        assert transport.writes == 3
        loop.advance(0.5)
        partner.begin()
        assert transport.was_aborted()


def test_without_reuse_each_call_has_its_own_connection(loop: VirtualLoop) -> None:
    """And a clean answer leaves none behind."""
    with Partner(loop, reuse=False).connecting() as partner:
        (transport,) = partner.idle(1)
        assert transport.was_aborted()
        counts(partner)


def test_idle_connections_are_bounded(loop: VirtualLoop) -> None:
    """One more than may be idle is closed."""
    with Partner(loop, connections_max=3, idle_max=1).connecting() as partner:
        kept = partner.idle(3)
        assert [transport.was_aborted() for transport in kept] == [False, True, True]
        counts(partner, idle=1)


def test_tending_closes_what_was_idle_too_long(partner: Partner) -> None:
    """Also when no call comes to look at it."""
    partner.idle(2)
    partner.loop.advance(15.5)
    counts(partner, idle=2)
    partner.pool.tend()
    counts(partner)


# -- failures -------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["refused", "hung up"])
def test_a_connection_that_does_not_open_gives_its_place_back(partner: Partner, how: str) -> None:
    """Refused, or closed by the partner before we could send: unsent, and nothing is left."""
    task = partner.begin()
    partner.admit(how)
    counts(partner)
    hung_up = Failure(Phase.SEND, "closed", sent=False)
    assert task.result() == (REFUSED if how == "refused" else hung_up)


def test_the_first_failure_on_a_reused_connection_discards_the_idle_ones(partner: Partner) -> None:
    """A reset says that the partner's process or the path is gone: the others are no better."""
    first, second = partner.idle(2)
    task = partner.begin()
    second.lose(ConnectionResetError())
    counts(partner)
    assert first.was_aborted()
    assert isinstance(failure := task.result(), Failure)
    assert failure.sent


def test_a_timeout_spares_those_that_answered_since(loop: VirtualLoop) -> None:
    """One slow request among many good ones is no reason to open all connections anew."""
    with Partner(loop, connections_max=3, idle_max=3, lingering_max=0).connecting() as partner:
        stale, proven, silent = partner.idle(3)
        loop.advance(1.0)
        partner.begin(b"silent")
        partner.begin(b"proven")
        partner.answer(proven)
        loop.advance(6.0)
        assert (silent.was_aborted(), stale.was_aborted()) == (True, True)
        counts(partner, idle=1)


def test_a_failure_on_a_fresh_connection_spares_the_idle_ones(partner: Partner) -> None:
    """It says nothing about them."""
    (first,) = partner.idle(1)
    taken = partner.begin()
    (fresh,) = partner.busy(1)
    partner.answer(first)
    partner.asked()[0].lose(ConnectionResetError())
    counts(partner, idle=1)
    assert taken.done()
    assert fresh.done()


# -- waiting -----------------------------------------------------------------------------


def test_connections_are_bounded_and_waiters_served_in_order(loop: VirtualLoop) -> None:
    """A call too many waits; whoever waited longest gets the connection that is freed."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        waiting = [partner.begin(b"%d" % number) for number in range(3)]
        for number in range(3):
            counts(partner, busy=1, waiting=3 - number)
            partner.answer()
            partner.loop.settle()
            assert partner.asked()[0].written == b"%d" % number
        partner.answer()
        counts(partner, idle=1)
        assert [body(task) for task in waiting] == [b"0", b"1", b"2"]


def test_a_waiter_gets_the_place_of_a_connection_that_closed(partner: Partner) -> None:
    """It opens a connection of its own there."""
    partner.busy(2)
    task = partner.begin(b"waited")
    partner.answer(how="close")
    counts(partner, busy=1, opening=1)
    partner.admit()
    partner.loop.settle()
    partner.answer(partner.transports[-1])
    partner.loop.settle()
    assert body(task) == b"waited"


def test_waiting_has_its_time(partner: Partner) -> None:
    """Its own, or what is left until the deadline; then the call is unsent, for our own reason."""
    partner.busy(2)
    task = partner.begin(queue_s=1.0)
    deadline_at = START + 0.5
    hurried = partner.loop.create_task(partner.pool.open(Progress(), timeouts(), deadline_at))
    partner.loop.settle()
    partner.loop.advance(0.5)
    assert hurried.result() == Failure(Phase.QUEUE, "pool_timeout", sent=False)
    assert not task.done()
    partner.loop.advance(0.5)
    assert task.result() == Failure(Phase.QUEUE, "pool_timeout", sent=False)
    counts(partner, busy=2)


def test_waiters_are_bounded(partner: Partner) -> None:
    """One too many is refused at once."""
    partner.busy(2)
    for _ in range(4):
        partner.begin()
    assert partner.begin().result() == Failure(Phase.QUEUE, "pool_full", sent=False)
    counts(partner, busy=2, waiting=4)
