"""`proxy.routing.warm`: a small, exact share of new calls for the standby."""

from __future__ import annotations

from itertools import pairwise

import pytest

from proxy.model.checking import Standby
from proxy.model.route import Candidate, Route
from proxy.routing.choose import by_file
from proxy.routing.warm import Warm
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, route

A, B, C = candidate("a"), candidate("b"), candidate("c")
RARELY = Standby(0.01, 3600.0)


class House:
    """One route; `calls` gives the first candidate of each."""

    def __init__(self, taken: Route) -> None:
        self.clock = ManualClock()
        self.route = taken
        self.unwell: set[str] = set()
        self.warm = Warm([taken], lambda each, _: each.upstream.name not in self.unwell,
                         self.clock.now)  # fmt: skip
        self.choice = self.warm.over(by_file)

    def orders(self, count: int, every_s: float = 0.01) -> list[list[str]]:
        """Calls, and where each may go."""
        found = []
        for _ in range(count):
            self.clock.advance(every_s)
            found.append([each.upstream.name for each in self.choice(call(taken=self.route))])
        return found

    def firsts(self, count: int, every_s: float = 0.01) -> list[str]:
        """Where each goes."""
        return [order[0] for order in self.orders(count, every_s)]


@pytest.mark.parametrize(("share", "given"), [(0.01, 100), (0.05, 500), (0.2, 2000)])
def test_exactly_the_share_goes_to_the_standby(share: float, given: int) -> None:
    """Of 10,000 calls, evenly among them; each can still move back to the primary."""
    house = House(route(A, B, standby=Standby(share, 3600.0)))
    orders = house.orders(10_000)
    firsts = [order[0] for order in orders]
    assert abs(firsts.count("b") - given) <= 1
    assert all(sorted(order) == ["a", "b"] for order in orders)
    gaps = [index for index, name in enumerate(firsts) if name == "b"]
    assert max(after - before for before, after in pairwise(gaps)) <= 1.1 / share
    assert house.warm.report() == [{"route": "charges", "calls": firsts.count("b")}]


def test_a_quiet_route_gives_one_every_so_often() -> None:
    """A call each ten seconds is one of sixty; without it the next would be in 17 minutes."""
    house = House(route(A, B, standby=Standby(0.01, 600.0)))
    firsts = house.firsts(600, 10.0)
    assert 9 <= firsts.count("b") <= 16


def test_of_ten_calls_never_more_than_one() -> None:
    """However few there are."""
    house = House(route(A, B, standby=Standby(0.01, 600.0)))
    firsts = house.firsts(100, 3600.0)
    assert firsts.count("b") == 10


def test_a_standby_that_is_not_well_gets_nothing_and_then_no_more_than_its_share() -> None:
    """What it missed is not made up for."""
    house = House(route(A, B, standby=RARELY))
    house.unwell = {"b"}
    assert set(house.firsts(1000)) == {"a"}
    house.unwell = set()
    assert house.firsts(100).count("b") <= 2


def test_each_of_several_standbys_has_its_turn() -> None:
    """The one that waited longest; where that is not well, the other."""
    house = House(route(A, B, C, standby=RARELY))
    firsts = house.firsts(1000)
    assert (firsts.count("b"), firsts.count("c")) == (5, 5)
    house.unwell = {"b"}
    assert house.firsts(1000).count("c") == 10


def test_what_was_moved_already_is_left_alone() -> None:
    """By an operator, by health, or by what it belongs to."""
    house = House(route(A, B, standby=Standby(0.2, 10.0)))
    for order in ((B, A), (B,), (A,), ()):

        def moved(_: object, order: tuple[Candidate, ...] = order) -> tuple[Candidate, ...]:
            return order

        choice = house.warm.over(moved)
        assert all(choice(call(taken=house.route)) is order for _ in range(50))


@pytest.mark.parametrize(
    "taken", [route(A, B), route(A, B, standby=Standby(0.2, 10.0), operation="refund")]
)
def test_routes_without_it_and_what_follows_a_payment_keep_their_choice(taken: Route) -> None:
    """Not one more step in their way."""
    house = House(taken)
    assert house.choice is by_file
