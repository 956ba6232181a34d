"""`proxy.routing.overrides`: what operators say counts at once, and ends by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.model.affinity import FOLLOWING, Affinity, Follow
from proxy.model.events import OverrideChanged
from proxy.model.route import Route
from proxy.model.standing import Kind, Override
from proxy.routing.overrides import Overrides, names
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, route

A, B, C = (candidate(name) for name in "abc")
CHARGES = route(A, B, C)
OTHER = route(B, name="other", operation="other")


class _Desk:
    """Overrides, and what was told of them."""

    def __init__(self, *routes: Route) -> None:
        self.clock = ManualClock()
        self.told: list[OverrideChanged] = []
        given = routes or (CHARGES, OTHER)
        self.overrides = Overrides(given, dict.fromkeys("abc"), self.clock, self.told.append)

    def add(self, kind: Kind, upstream: str, at: str = "", lasts_s: float = 3600.0) -> None:
        """An order that stands from now on."""
        now, wall = self.clock.now(), self.clock.wall()
        made = Override(kind, at, upstream, "why", "me", wall, lasts_s, now + lasts_s)
        self.overrides.add(made)

    def now(self, at: Route = CHARGES) -> list[str]:
        """Where a new call of the route may go."""
        return names(self.overrides.candidates(call(taken=at)))


def test_without_an_order_the_file_counts() -> None:
    """The routes' own tuples, so that nothing is made for a call."""
    overrides = _Desk().overrides
    assert overrides.candidates(call(taken=CHARGES)) is CHARGES.candidates


def test_a_forced_route_goes_to_one_candidate_alone() -> None:
    """Other routes go by the file."""
    desk = _Desk()
    desk.add(Kind.FORCE, "b", "charges")
    assert (desk.now(), desk.now(OTHER)) == (["b"], ["b"])
    desk.add(Kind.FORCE, "c", "charges")
    assert desk.now() == ["c"]
    assert desk.overrides.candidates(call(taken=OTHER)) is OTHER.candidates


def test_a_drained_upstream_gets_no_new_calls_of_any_route() -> None:
    """The order of the others stays; a route without another has none."""
    desk = _Desk()
    desk.add(Kind.DRAIN, "b")
    assert (desk.now(), desk.now(OTHER)) == (["a", "c"], [])
    assert desk.overrides.nowhere() == ["other"]


def test_a_drain_counts_for_a_force() -> None:
    """Whoever stops an upstream is heard, whatever was forced before."""
    desk = _Desk()
    desk.add(Kind.FORCE, "b", "charges")
    desk.add(Kind.DRAIN, "b")
    assert desk.now() == []


@pytest.mark.parametrize("operation", sorted(FOLLOWING))
def test_what_belongs_to_an_earlier_payment_stays_with_it(operation: str) -> None:
    """An inquiry elsewhere would deny the payment, and it would be made again."""
    later = route(A, B, name="later", operation=operation)
    desk = _Desk(later)
    desk.add(Kind.DRAIN, "a")
    assert desk.now(later) == ["a", "b"]
    desk.add(Kind.FORCE, "b", "later")
    assert desk.now(later) == ["b"]


def test_a_route_that_follows_payments_is_spared_whatever_it_does() -> None:
    """The completion of a 3-D Secure step belongs where the step began."""
    follow = Affinity(follow=Follow("steps"))
    later = route(A, B, name="later", operation="authenticate", affinity=follow)
    desk = _Desk(later)
    desk.add(Kind.DRAIN, "a")
    assert desk.now(later) == ["a", "b"]


def test_what_is_released_goes_by_the_file_again() -> None:
    """And what does not stand cannot be released."""
    desk = _Desk()
    desk.add(Kind.DRAIN, "a")
    desk.add(Kind.FORCE, "b", "charges")
    assert desk.overrides.release(Kind.FORCE, "a") is None
    assert desk.overrides.release(Kind.FORCE, "charges") is not None
    assert desk.now() == ["b", "c"]
    assert desk.overrides.release(Kind.DRAIN, "a") is not None
    assert desk.overrides.candidates(call(taken=CHARGES)) is CHARGES.candidates


def test_each_ends_by_itself_whatever_the_wall_clock_does() -> None:
    """By the time that has passed."""
    desk = _Desk()
    desk.add(Kind.DRAIN, "a", lasts_s=60.0)
    desk.add(Kind.FORCE, "b", "charges", lasts_s=120.0)
    desk.clock.wall_jump_s = 7200.0
    assert not desk.overrides.expire()
    desk.clock.advance(60.0)
    assert desk.overrides.expire()
    assert (desk.overrides.drained("a"), desk.now()) == (False, ["b"])
    desk.clock.wall_jump_s = -7200.0
    desk.clock.advance(60.0)
    assert desk.overrides.expire()
    assert desk.now() == ["a", "b", "c"]


def test_every_change_is_told_with_what_is_left() -> None:
    """Set, released and expired."""
    desk = _Desk()
    desk.add(Kind.DRAIN, "a", lasts_s=60.0)
    desk.clock.advance(20.0)
    desk.overrides.release(Kind.DRAIN, "a")
    desk.add(Kind.FORCE, "b", "charges", lasts_s=60.0)
    desk.clock.advance(61.0)
    desk.overrides.expire()
    assert [(each.change, each.override.name, each.left_s) for each in desk.told] == [
        ("set", "a", 60.0), ("released", "a", 40.0), ("set", "charges", 60.0),
        ("expired", "charges", 0.0),
    ]  # fmt: skip


def test_what_stands_is_listed_in_its_order_with_the_time_left() -> None:
    """For the report and the metrics."""
    desk = _Desk()
    desk.add(Kind.DRAIN, "c", lasts_s=90.0)
    desk.clock.advance(10.0)
    desk.add(Kind.FORCE, "b", "charges", lasts_s=60.0)
    assert [(each.name, left) for each, left in desk.overrides.remaining()] == [
        ("c", 80.0), ("charges", 60.0),
    ]  # fmt: skip


def test_names_of_another_configuration_are_not_known() -> None:
    """A route that is gone, an upstream that is no candidate of it any more, or no upstream."""
    overrides = _Desk().overrides
    drain = Override(Kind.DRAIN, "", "a", "why", "me", 0.0, 60.0, 60.0)
    force = replace(drain, kind=Kind.FORCE, route="other", upstream="b")
    assert overrides.knows(drain)
    assert overrides.knows(force)
    for wrong in (
        replace(drain, upstream="x"), replace(force, route="x"), replace(force, upstream="a"),
    ):  # fmt: skip
        assert not overrides.knows(wrong)
