"""Rules for what the pool does besides serving: lingering, pre-warming, the drain."""

from __future__ import annotations

import asyncio

import pytest

from proxy.http1.exchange import Result
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.partner import Partner
from tests.unit.http1.test_pool import body, counts

# -- lingering ------------------------------------------------------------------------------


def hung(partner: Partner, count: int) -> list[asyncio.Task[Result]]:
    """So many calls whose first byte does not come in its 6 s."""
    tasks = partner.busy(count)
    partner.loop.advance(6.0)
    for task in tasks:
        assert task.result() == Failure(Phase.FIRST_BYTE, "timeout", sent=True)
    return tasks


def test_lingering_connections_leave_room(loop: VirtualLoop) -> None:
    """A partner that hangs does not use up the places of the calls that flow."""
    with Partner(loop).connecting() as partner:
        hung(partner, 2)
        counts(partner, lingering=2)
        partner.busy(2)
        counts(partner, lingering=2, busy=2)


def test_who_waits_gets_the_place_of_one_that_lingers(loop: VirtualLoop) -> None:
    """In the instant in which its caller was answered."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        partner.begin(queue_s=10.0)
        loop.advance(6.0)
        counts(partner, lingering=1, opening=1)


def test_lingering_is_bounded_in_number_and_time(loop: VirtualLoop) -> None:
    """One too many is cut; the others are cut when their time is over, and told."""
    with Partner(loop, connections_max=3).connecting() as partner:
        hung(partner, 3)
        counts(partner, lingering=2)
        loop.advance(10.0)
        counts(partner)
        assert [late.reason for late in partner.late if isinstance(late, Failure)] == [
            "lingered", "lingered",
        ]  # fmt: skip


def test_a_late_answer_frees_no_connection(loop: VirtualLoop) -> None:
    """It is learned, and its connection is cut."""
    with Partner(loop).connecting() as partner:
        hung(partner, 1)
        partner.answer()
        counts(partner)
        assert [type(late) for late in partner.late] == [Response]


# -- pre-warmed connections -------------------------------------------------------------------


def test_connections_are_opened_ahead_of_calls(loop: VirtualLoop) -> None:
    """As many as wished for, one after another; a call that takes one has it replaced."""
    with Partner(loop, prewarm=2, connections_max=3).connecting() as partner:
        partner.pool.tend()
        for ready in (1, 2):
            loop.settle()
            partner.admit()
            counts(partner, idle=ready, opening=2 - ready)
        partner.pool.tend()
        counts(partner, idle=2)
        task = partner.begin()
        counts(partner, idle=1, busy=1, opening=1)
        partner.admit()
        counts(partner, idle=2, busy=1)
        assert not task.done()


@pytest.mark.parametrize("how", ["refused", "hung up"])
def test_a_partner_that_does_not_want_them_is_not_besieged(loop: VirtualLoop, how: str) -> None:
    """No more tries than connections wished for; the next tries come with the next tending."""
    with Partner(loop, prewarm=2).connecting() as partner:
        for _ in range(2):
            partner.pool.tend()
            loop.settle()
            tries = 0
            while partner.opening:
                partner.admit(how)
                loop.settle()
                tries += 1
                assert tries <= 2
        counts(partner)


def test_they_leave_room_for_calls(loop: VirtualLoop) -> None:
    """Places that calls hold are not taken for them."""
    with Partner(loop, prewarm=2).connecting() as partner:
        partner.busy(2)
        partner.pool.tend()
        counts(partner, busy=2)


def test_one_opened_ahead_serves_who_waits(loop: VirtualLoop) -> None:
    """A call that came while it was opening gets it."""
    with Partner(loop, prewarm=1, connections_max=1).connecting() as partner:
        partner.pool.tend()
        loop.settle()
        waiting = partner.begin(b"waited")
        counts(partner, opening=1, waiting=1)
        partner.admit()
        counts(partner, busy=1)
        partner.answer()
        loop.settle()
        assert body(waiting) == b"waited"


# -- the drain -----------------------------------------------------------------------------------


def test_the_drain_closes_what_is_idle_and_waits_for_what_lingers(loop: VirtualLoop) -> None:
    """Late answers are still learned, within its time."""
    with Partner(loop, connections_max=3).connecting() as partner:
        hung(partner, 1)
        partner.busy(1)
        partner.answer(partner.asked()[-1])
        counts(partner, idle=1, lingering=1)
        draining = loop.create_task(partner.pool.drain(5.0))
        counts(partner, lingering=1)
        partner.answer()
        loop.advance(0.01)
        assert draining.done()
        counts(partner)
        assert [type(late) for late in partner.late] == [Response]


def test_nothing_begins_to_linger_during_the_drain(loop: VirtualLoop) -> None:
    """A call that times out then is cut, so that the drain comes to its end."""
    with Partner(loop, connections_max=3).connecting() as partner:
        hung(partner, 1)
        partner.busy(1)
        draining = loop.create_task(partner.pool.drain(20.0))
        loop.settle()
        loop.advance(6.0)
        counts(partner, lingering=1)
        loop.advance(10.0)
        loop.advance(0.01)
        assert draining.done()
        counts(partner)


def test_the_drain_is_bounded(loop: VirtualLoop) -> None:
    """What still lingers or is busy then is cut, and its ending is told."""
    with Partner(loop, connections_max=3).connecting() as partner:
        hung(partner, 1)
        (busy,) = partner.busy(1)
        draining = loop.create_task(partner.pool.drain(5.0))
        loop.settle()
        loop.advance(5.0)
        assert draining.done()
        counts(partner)
        assert busy.result() == Failure(Phase.FIRST_BYTE, "closed", sent=True)
        assert [late.reason for late in partner.late if isinstance(late, Failure)] == ["closed"]


def test_a_drained_pool_keeps_nothing(loop: VirtualLoop) -> None:
    """A call that was about to open is still answered; then its connection closes."""
    with Partner(loop).connecting() as partner:
        task = partner.begin(b"last")
        draining = loop.create_task(partner.pool.drain(0.0))
        loop.settle()
        assert draining.done()
        partner.admit()
        loop.settle()
        partner.answer()
        counts(partner)
        assert body(task) == b"last"


def test_the_drain_ends_every_wait(loop: VirtualLoop) -> None:
    """Nobody waits for a connection that will not come, and nobody begins to."""
    with Partner(loop, connections_max=1).connecting() as partner:
        (busy,) = partner.busy(1)
        waiting = [partner.begin(b"waits"), partner.begin(b"waits too")]
        loop.settle()
        counts(partner, busy=1, waiting=2)
        waiting[0].cancel()
        draining = loop.create_task(partner.pool.drain(0.0))
        loop.settle()
        assert draining.done()
        failure = Failure(Phase.QUEUE, "draining", sent=False)
        assert waiting[1].result() == failure
        late = partner.begin(b"late")
        loop.settle()
        assert late.result() == failure
        assert busy.result() == Failure(Phase.FIRST_BYTE, "closed", sent=True)
        counts(partner)


def test_a_drained_pool_opens_nothing_ahead(loop: VirtualLoop) -> None:
    """And gives up on what it was opening."""
    with Partner(loop, prewarm=1).connecting() as partner:
        partner.pool.tend()
        counts(partner, opening=1)
        draining = loop.create_task(partner.pool.drain(0.0))
        counts(partner)
        partner.pool.tend()
        counts(partner)
        assert draining.done()
