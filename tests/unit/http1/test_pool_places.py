"""Rules for places in the pool: each is given back exactly once, however its call ends."""

from __future__ import annotations

import pytest

from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.unit.http1.fakes import VirtualLoop
from tests.unit.http1.partner import Partner
from tests.unit.http1.test_pool import body, counts

# -- callers that are cancelled -----------------------------------------------------------


@pytest.mark.parametrize("how", ["clean", "close"])
def test_a_waiter_cancelled_in_the_instant_it_is_served(loop: VirtualLoop, how: str) -> None:
    """What it was given goes to the next one at once."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        first, second = partner.begin(b"first"), partner.begin(b"second")
        partner.answer(how=how)
        first.cancel()
        loop.settle()
        assert first.cancelled()
        if how == "close":
            counts(partner, opening=1)
            partner.admit()
            loop.settle()
        counts(partner, busy=1)
        partner.answer(partner.transports[-1])
        loop.settle()
        assert body(second) == b"second"


@pytest.mark.parametrize("how", ["clean", "close"])
def test_the_last_waiter_cancelled_in_the_instant_it_is_served(loop: VirtualLoop, how: str) -> None:
    """Then the connection is idle, or the place is free."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        only = partner.begin()
        partner.answer(how=how)
        only.cancel()
        counts(partner, idle=1 if how == "clean" else 0)


@pytest.mark.parametrize("how", ["clean", "close"])
def test_a_waiter_whose_time_ends_in_the_instant_it_is_served(loop: VirtualLoop, how: str) -> None:
    """It was served: it takes what it was given, and nothing is lost."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        waiter = partner.begin(b"served", queue_s=1.0)
        loop.instant += 1.0
        loop.call_soon(lambda: partner.answer(how=how))
        loop.settle()
        assert not waiter.done()
        counts(partner, busy=1 if how == "clean" else 0, opening=0 if how == "clean" else 1)


@pytest.mark.parametrize("seen", [True, False])
def test_a_cancelled_waiter_is_passed_over(loop: VirtualLoop, seen: bool) -> None:
    """It leaves the queue, and its turn goes to the next, even before it has left."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        first, second = partner.begin(), partner.begin(b"second")
        first.cancel()
        if seen:
            counts(partner, busy=1, waiting=1)
        partner.answer()
        loop.settle()
        partner.answer()
        counts(partner, idle=1)
        assert body(second) == b"second"


def test_a_cancelled_opening_passes_its_place_on(loop: VirtualLoop) -> None:
    """Whoever waits behind it must not wait for the next connection that happens to be freed."""
    with Partner(loop, connections_max=1).connecting() as partner:
        opening, waiting = partner.begin(), partner.begin(b"next")
        counts(partner, opening=1, waiting=1)
        opening.cancel()
        counts(partner, opening=1)
        partner.admit()
        loop.settle()
        partner.answer()
        counts(partner, idle=1)
        assert body(waiting) == b"next"


def test_a_cancelled_caller_keeps_its_place_until_the_exchange_ends(loop: VirtualLoop) -> None:
    """The partner still works at it; when it answers, the connection serves the next."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)[0].cancel()
        counts(partner, busy=1)
        partner.answer()
        counts(partner, idle=1)
        assert [type(late) for late in partner.late] == [Response]


# -- connections that end at an awkward moment ------------------------------------------------


def test_a_connection_that_ends_while_it_is_handed_over(loop: VirtualLoop) -> None:
    """It is not fit, so the waiter opens another in its place."""
    with Partner(loop, connections_max=1).connecting() as partner:
        (busy,) = partner.busy(1)
        waiting = partner.begin(b"waited")
        (transport,) = partner.asked()
        partner.answer()
        transport.peer.send(b"x")
        counts(partner, opening=1)
        assert transport.was_aborted()
        partner.admit()
        loop.settle()
        partner.answer()
        loop.settle()
        assert body(waiting) == b"waited"
        assert busy.done()


def test_a_place_is_not_taken_twice(loop: VirtualLoop) -> None:
    """The connection given to a waiter ended, and another got its place, before the waiter ran."""
    with Partner(loop, connections_max=1).connecting() as partner:
        partner.busy(1)
        first, second = partner.begin(b"first"), partner.begin(b"second")
        (transport,) = partner.asked()
        partner.answer()
        transport.protocol.eof_received()
        for name in (b"second", b"first"):
            counts(partner, opening=1, waiting=int(name == b"second"))
            partner.admit()
            loop.settle()
            assert partner.asked()[0].written == name
            partner.answer(how="close")
        loop.settle()
        assert (body(first), body(second)) == (b"first", b"second")
        counts(partner)


def test_hung_up_before_it_was_counted(loop: VirtualLoop) -> None:
    """It never becomes a member, and whoever waits gets the place."""
    with Partner(loop, connections_max=1).connecting() as partner:
        first, second = partner.begin(), partner.begin(b"second")
        partner.admit("hung up")
        counts(partner, opening=1)
        assert first.result() == Failure(Phase.SEND, "closed", sent=False)
        partner.admit()
        loop.settle()
        partner.answer()
        counts(partner, idle=1)
        assert body(second) == b"second"
