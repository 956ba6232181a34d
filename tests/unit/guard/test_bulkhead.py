"""`proxy.guard.bulkhead`: who gets a place, who waits, and who is told that waiting is no use."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from proxy.guard.bulkhead import Bulkhead
from proxy.model.bulkhead import BulkheadLimits, Priority
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from tests.simulation.virtual import VirtualLoop
from tests.support.manual_clock import ManualClock
from tests.support.values import response

DONE = Answered("acme", "a", response(), Execution.DONE)
SOON_S = 1.0
LATER_S = 60.0


class House:
    """One compartment on virtual time, and the tasks that go through it."""

    def __init__(self, **limits: int | bool) -> None:
        self.clock = ManualClock()
        self.loop = VirtualLoop(self.clock)
        made = BulkheadLimits(**{"at_work_max": 1, "waiting_max": 3, **limits})  # type: ignore[arg-type]
        self.places = Bulkhead("acme", "a", "authorize", made, self.clock.now)

    def wait(
        self, priority: Priority = Priority.PAYMENT, within_s: float = SOON_S
    ) -> asyncio.Task[Refused | None]:
        """Somebody who finds no place, and waits at most so long; the answer may take longer."""
        now = self.clock.now()
        entering = self.places.enter(priority, now + within_s, now + LATER_S)
        task = self.loop.create_task(entering)
        self.loop.settle()
        return task

    def leave(self, took_s: float = 0.0, outcome: Outcome | None = DONE) -> None:
        """One attempt ends after so long."""
        self.clock.advance(took_s)
        self.places.leave(self.clock.now() - took_s, outcome)
        self.loop.settle()

    def pass_time(self, seconds: float) -> None:
        """And let timers act."""
        self.clock.advance(seconds)
        self.loop.settle()


@pytest.fixture
def made() -> Iterator[list[House]]:
    """Houses that are closed at the end, with no error left unseen."""
    houses: list[House] = []
    yield houses
    for house in houses:
        house.loop.end()
        assert house.loop.errors == []


@pytest.fixture
def house(made: list[House]) -> House:
    """One place, three who may wait."""
    made.append(House())
    assert made[0].places.take()
    return made[0]


def _reason(task: asyncio.Task[Refused | None]) -> str:
    refused = task.result()
    assert isinstance(refused, Refused)
    return refused.reason


def test_a_free_place_is_taken_by_a_plain_call(made: list[House]) -> None:
    """As many as there are places, and then no more."""
    made.append(House(at_work_max=2))
    places = made[0].places
    assert [places.take(), places.take(), places.take()] == [True, True, False]
    assert places.at_work == 2


def test_a_waiter_gets_the_place_that_is_left(house: House) -> None:
    """None says that it has a place; the count stays what it was."""
    waiting = house.wait()
    assert house.places.waiting == 1
    house.leave()
    assert waiting.result() is None
    assert (house.places.at_work, house.places.waiting) == (1, 0)


def test_waiters_leave_by_priority_and_then_by_arrival(house: House) -> None:
    """A payment that comes last goes first."""
    first = house.wait(Priority.BACK_OFFICE)
    second = house.wait(Priority.BACK_OFFICE)
    payment = house.wait(Priority.PAYMENT)
    served = []
    for _ in range(3):
        house.leave()
        served.append([task.done() for task in (first, second, payment)])
    assert served == [[False, False, True], [True, False, True], [True, True, True]]


def test_a_refusal_says_why_with_the_figures(house: House) -> None:
    """Nothing was sent; the application may come again."""
    refused = house.wait(within_s=0.0).result()
    assert isinstance(refused, Refused)
    assert (refused.status, refused.execution, refused.origin) == (
        503,
        Execution.NONE,
        Origin.PROXY,
    )
    assert (refused.partner, refused.upstream, refused.retry_after_s) == ("acme", "a", 1)
    assert refused.detail == (
        "1 of 1 attempts of authorize are at work at a, 0 calls wait for a place, 0 calls wait "
        "before this one; a place was expected in 0 ms and an answer 0 ms later, with 0 ms left."
    )


def test_nobody_waits_who_could_not_be_served_in_time(house: House) -> None:
    """Two wait where each takes 400 ms: the third would have its turn after 1.2 s."""
    house.leave(took_s=0.4)
    assert house.places.take()
    assert not house.wait().done()
    assert not house.wait().done()
    assert _reason(house.wait()) == "bulkhead_late"
    assert not house.wait(within_s=2.0).done()


def test_an_answer_that_would_come_too_late_is_not_waited_for(house: House) -> None:
    """The turn would come in time, the answer would not: sending it would leave a doubt."""
    house.leave(took_s=0.4)
    assert house.places.take()
    now = house.clock.now()
    entering = house.places.enter(Priority.PAYMENT, now + 0.7, now + 0.7)
    task = house.loop.create_task(entering)
    house.loop.settle()
    assert _reason(task) == "bulkhead_late"


def test_a_partner_that_ends_nothing_is_as_slow_as_that(house: House) -> None:
    """The average is of when it was well; that nobody has left for 2 s is known, too."""
    house.leave(took_s=0.01)
    assert house.places.take()
    house.pass_time(2.0)
    assert _reason(house.wait()) == "bulkhead_late"


def test_silence_counts_from_when_the_last_place_was_taken(house: House) -> None:
    """A quiet night before a burst says nothing about the partner."""
    house.leave(took_s=0.01)
    house.pass_time(3600.0)
    assert house.places.take()
    assert not house.wait().done()


def test_a_turn_that_does_not_come_is_refused_in_time(house: House) -> None:
    """At the instant that was given, and not before."""
    waiting = house.wait()
    house.pass_time(SOON_S - 0.01)
    assert not waiting.done()
    house.pass_time(0.02)
    assert _reason(waiting) == "bulkhead_timeout"
    house.leave()
    assert (house.places.at_work, house.places.waiting) == (0, 0)


def test_a_full_queue_takes_nobody_of_the_same_rank(house: House) -> None:
    """Three may wait."""
    for _ in range(3):
        assert not house.wait().done()
    assert _reason(house.wait()) == "bulkhead_full"


def test_a_payment_takes_the_turn_of_who_came_last_below_it(house: House) -> None:
    """The lowest rank goes first, and of that the newest."""
    early = house.wait(Priority.BEST_EFFORT)
    late = house.wait(Priority.BEST_EFFORT)
    office = house.wait(Priority.BACK_OFFICE)
    payment = house.wait(Priority.PAYMENT)
    assert [task.done() for task in (early, late, office, payment)] == [False, True, False, False]
    assert _reason(late) == "bulkhead_displaced"


def test_who_is_cancelled_while_waiting_leaves_the_queue(house: House) -> None:
    """Before a place came."""
    gone, stays = house.wait(), house.wait()
    gone.cancel()
    house.loop.settle()
    assert house.places.waiting == 1
    house.leave()
    assert stays.result() is None


def test_who_is_cancelled_with_a_place_just_given_passes_it_on(house: House) -> None:
    """It was told, and had not run yet."""
    gone, stays = house.wait(), house.wait()
    house.places.leave(house.clock.now(), DONE)
    gone.cancel()
    house.loop.settle()
    assert gone.cancelled()
    assert stays.result() is None
    assert house.places.at_work == 1


def test_a_place_left_between_a_cancellation_and_its_news_goes_to_the_next(house: House) -> None:
    """The cancelled one is passed over."""
    gone, stays = house.wait(), house.wait()
    gone.cancel()
    house.places.leave(house.clock.now(), DONE)
    house.loop.settle()
    assert stays.result() is None
    assert (house.places.at_work, house.places.waiting) == (1, 0)


@pytest.mark.parametrize("patience_s", [0.5, 30.0])
def test_the_adaptive_limit_follows_what_the_partner_says(
    made: list[House], patience_s: float
) -> None:
    """Halved by a 429; a success for each place raises it by one; a doubt halves it if it took
    as long as answers take.
    """
    made.append(House(at_work_max=4, adaptive=True))
    house, places = made[0], made[0].places
    busy = Answered("acme", "a", response(429), Execution.NONE)
    hung = InDoubt("acme", "a", Phase.FIRST_BYTE, "deadline", Origin.NETWORK)
    assert places.take()
    house.leave(1.0, busy)
    assert places.limit == 2
    for _ in range(2):
        assert places.take()
        house.leave(1.0)
    assert places.limit == 3
    assert places.take()
    house.leave(patience_s, hung)
    assert places.limit == (3 if patience_s < 1.0 else 1)


def test_the_report_has_the_figures_of_this_moment(house: House) -> None:
    """What waits, what works, and what was refused by reason."""
    house.wait(within_s=0.0)
    house.wait()
    report = house.places.report()
    assert (report["at_work"], report["limit"], report["waiting"]) == (1, 1, 1)
    assert report["refused"]["bulkhead_late"] == 1
