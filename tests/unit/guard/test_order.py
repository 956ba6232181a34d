"""`proxy.guard.order`: what is well goes first, and how the rest can become well again."""

from __future__ import annotations

import pytest

from proxy.model.affinity import FOLLOWING
from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.route import Candidate, Route
from proxy.routing.choose import by_file
from tests.support.values import call, candidate, route, upstream
from tests.unit.guard.sliced import Sliced, of, sliced
from tests.unit.guard.slices import Slices

A, B, C = candidate("a"), candidate("b"), candidate("c")


def names(house: Slices, taken: Route) -> str:
    """The order of one call's candidates."""
    chosen = house.made.order(by_file)(call(taken=taken))
    return "".join(each.upstream.name for each in chosen)


def orders(house: Slices, taken: Route, calls: int = 100) -> list[str]:
    """The orders of several."""
    return [names(house, taken) for _ in range(calls)]


def test_while_all_is_well_the_choice_is_handed_on_untouched() -> None:
    """The same tuple: it costs nothing."""
    taken = route(A, B)
    house, asked = Slices(taken), call(taken=taken)
    assert house.made.order(by_file)(asked) is taken.candidates


def test_what_would_refuse_goes_behind_what_is_well() -> None:
    """The others keep their order."""
    taken = route(A, B, C)
    house = Slices(taken)
    house.trip("a")
    found = orders(house, taken)
    assert (found.count("bca"), found.count("abc")) == (95, 5)


def test_degraded_goes_before_what_would_refuse() -> None:
    """And one call in twenty to where it went before, or the flag could not end."""
    taken = route(A, B, C)
    house = Slices(taken)
    house.degrade("b")
    house.trip("a")
    found = orders(house, taken)
    assert (found.count("cba"), found.count("abc")) == (95, 5)


def test_a_probe_that_is_due_has_its_place() -> None:
    """Or nobody would ever find out."""
    taken = route(A, B)
    house = Slices(taken)
    house.trip("a")
    assert names(house, taken) == "ba"
    house.clock.advance(60.0)
    assert names(house, taken) == "ab"
    circuit = house.made.of("a", "authorize")
    probes = [circuit.admit(house.clock.now()) for _ in range(2)]
    assert len(probes) == 2
    assert names(house, taken) == "ba"


def test_if_none_is_well_the_order_of_the_file_stands() -> None:
    """Nobody is better."""
    taken = route(A, B)
    house = Slices(taken)
    house.trip("a")
    house.trip("b")
    assert set(orders(house, taken)) == {"ab"}


@pytest.mark.parametrize("operation", sorted(FOLLOWING))
def test_what_belongs_to_an_earlier_payment_keeps_its_order(operation: str) -> None:
    """It is where it is."""
    taken = route(A, B, operation=operation)
    house = Slices(taken)
    house.trip("a", operation)
    assert set(orders(house, taken)) == {"ab"}


def test_a_route_that_was_forced_stays_so() -> None:
    """There is one candidate, and the guard adds none."""
    taken = route(A, B)
    house = Slices(taken)
    house.trip("a")
    forced: tuple[Candidate, ...] = (A,)
    assert house.made.order(lambda _: forced)(call(taken=taken)) is forced


def test_in_shadow_mode_no_order_changes() -> None:
    """Unless an operator has isolated it."""
    shadow = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.SHADOW)))
    taken = route(shadow, B)
    house = Slices(taken)
    circuit = house.trip("a")
    assert set(orders(house, taken)) == {"ab"}
    circuit.isolate("maintenance", house.clock.now() + 60.0, house.clock.now())
    assert names(house, taken) == "ba"


def test_a_scheme_in_trouble_goes_elsewhere_alone() -> None:
    """Calls of other schemes keep the order of the file."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(8.0, "visa")
    order = house.made.order(by_file)

    def first(scheme: str) -> str:
        return order(of(house.taken, scheme))[0].upstream.name

    assert [first("visa") for _ in range(20)].count("b") == 19
    assert {first(scheme) for scheme in ("mastercard", "amex", "none") for _ in range(20)} == {"a"}
