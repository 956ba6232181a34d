"""`proxy.guard.crowd`: payments that wait at an upstream go before what matters less there."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from proxy.guard.bulkhead import Bulkhead
from proxy.guard.crowd import Crowd, kept
from proxy.model.bulkhead import BulkheadLimits, Priority
from proxy.model.outcome import Answered, Execution, Refused
from tests.simulation.virtual import VirtualLoop
from tests.support.manual_clock import ManualClock
from tests.support.values import response

DONE = Answered("acme", "a", response(), Execution.DONE)
LOW = Priority.BACK_OFFICE


class Street:
    """Two compartments of one upstream: four places for payments, eight for refunds."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.loop = VirtualLoop(self.clock)
        self.crowd = Crowd()
        self.payments = self._house("authorize", 4)
        self.refunds = self._house("refund", 8)

    def _house(self, compartment: str, at_work_max: int) -> Bulkhead:
        limits = BulkheadLimits(at_work_max=at_work_max, waiting_max=10)
        return Bulkhead("acme", "a", compartment, limits, self.clock.now, self.crowd)

    def wait(self, where: Bulkhead, priority: Priority) -> asyncio.Task[Refused | None]:
        """A call that found no place."""
        now = self.clock.now()
        task = self.loop.create_task(where.enter(priority, now + 1.0, now + 60.0))
        self.loop.settle()
        return task

    def payments_wait(self) -> asyncio.Task[Refused | None]:
        """All places of payments are taken, and one more payment waits."""
        while self.payments.take():
            pass
        return self.wait(self.payments, Priority.PAYMENT)

    def leave(self, where: Bulkhead) -> None:
        """One attempt ends."""
        where.leave(self.clock.now(), DONE)
        self.loop.settle()


@pytest.fixture
def street() -> Iterator[Street]:
    """An upstream with two compartments; at the end nobody is counted who does not wait."""
    made = Street()
    yield made
    made.loop.end()
    assert made.loop.errors == []
    assert made.crowd.waiting == made.payments.waiting + made.refunds.waiting == 0


def taken(street: Street, priority: Priority = LOW) -> int:
    """How many refunds find a place at once."""
    return next(count for count in range(20) if not street.refunds.take(priority))


def test_without_a_crowd_every_place_is_free(street: Street) -> None:
    """Nothing is kept back for payments that do not come."""
    assert taken(street) == 8


def test_while_a_payment_waits_a_quarter_of_the_places_is_left(street: Street) -> None:
    """The rest of the partner's line is for payments; once none waits, all places are back."""
    waits = street.payments_wait()
    assert taken(street) == kept(8) == 2
    street.leave(street.payments)
    assert waits.result() is None
    assert taken(street) == 6


def test_equal_and_higher_priorities_do_not_yield(street: Street) -> None:
    """A payment of another operation has all its places."""
    waits = street.payments_wait()
    assert taken(street, Priority.PAYMENT) == 8
    street.leave(street.payments)
    assert waits.done()


def test_who_yielded_goes_before_who_comes_later(street: Street) -> None:
    """The next attempt that ends, or the next call that comes, lets the earlier one in."""
    payment = street.payments_wait()
    assert taken(street) == 2
    first, second = (street.wait(street.refunds, LOW) for _ in range(2))
    street.leave(street.refunds)
    assert first.result() is None
    assert not second.done()
    street.leave(street.payments)
    assert payment.result() is None
    assert street.refunds.take(LOW)
    street.loop.settle()
    assert second.result() is None
    assert street.refunds.at_work == 4


def test_who_yields_is_refused_when_its_time_is_up(street: Street) -> None:
    """However long payments wait, nobody waits for longer than it may."""
    payment = street.payments_wait()
    assert taken(street) == 2
    refund = street.wait(street.refunds, LOW)
    street.clock.advance(1.1)
    street.loop.settle()
    for task in (payment, refund):
        refused = task.result()
        assert isinstance(refused, Refused)
        assert refused.reason == "bulkhead_timeout"


def test_the_cancelled_and_the_displaced_are_not_counted(street: Street) -> None:
    """Whoever stops waiting holds nobody back."""
    payment = street.payments_wait()
    payment.cancel()
    street.loop.settle()
    assert taken(street) == 8


def test_every_compartment_keeps_at_least_one_place() -> None:
    """A quarter, and never nothing: an attempt that ends is what lets the others in."""
    assert [kept(places) for places in (1, 3, 4, 100)] == [1, 1, 1, 25]
