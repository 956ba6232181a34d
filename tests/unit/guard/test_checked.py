"""`proxy.guard.checked`: what checks mean to breakers and to the order of candidates."""

from __future__ import annotations

from proxy.guard.permit import Permit, State
from proxy.guard.verdicts import Verdict
from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.route import Candidate, Route
from tests.support.values import call, candidate, route, upstream
from tests.unit.guard.sliced import FAILED, Sliced, of, sliced
from tests.unit.guard.slices import Slices

A, B, C = candidate("a"), candidate("b"), candidate("c")
ROUTE = route(A, B, C)


def _order(house: Slices, taken: Route = ROUTE) -> list[str]:
    def by_file(_: object) -> tuple[Candidate, ...]:
        return taken.candidates

    return [each.upstream.name for each in house.made.order(by_file)(call(taken=taken))]


def _calls(house: Slices, name: str, verdict: Verdict, count: int = 5) -> None:
    for _ in range(count):
        permit = house.made.of(name, "authorize").admit(house.clock.now())
        assert isinstance(permit, Permit)
        permit.end(verdict, 0.1, house.clock.now())


def test_a_breaker_waits_for_the_check_of_its_upstream() -> None:
    """Each that is open of the upstream that was checked, and no other."""
    house = Slices(ROUTE, route(A, name="back", operation="refund"), checked=True)
    circuits = [house.trip("a"), house.trip("a", "refund"), house.trip("b")]
    house.clock.advance(10.0)
    assert house.made.checks.wanting() == {"a", "b"}
    house.made.checks.checked("a", None)
    assert house.made.checks.wanting() == {"b"}
    waits = [each.standing(house.clock.now()).awaits_check for each in circuits]
    assert waits == [False, False, True]
    assert house.made.report()[2]["awaits_check"] is False
    house.made.checks.checked("b", "connect refused")
    assert "a check failed" in circuits[2].standing(house.clock.now()).why


def test_without_anybody_who_checks_nothing_waits() -> None:
    """Guards by themselves go on as ever."""
    house = Slices(ROUTE)
    house.trip("a")
    house.clock.advance(10.0)
    assert house.made.checks.wanting() == frozenset()


def test_an_upstream_whose_checks_fail_goes_behind_the_others() -> None:
    """Nothing is refused: the circuit stays closed, and it is asked where nobody else is left."""
    house = Slices(ROUTE)
    house.made.checks.suspect("b", True)
    assert _order(house) == ["a", "c", "b"]
    assert house.made.of("b", "authorize").state is State.CLOSED
    house.made.checks.suspect("b", False)
    assert _order(house) == ["a", "b", "c"]


def test_payments_that_pass_are_worth_more_than_a_check_that_fails() -> None:
    """The check is wrong then; as soon as they are a minute old, it counts again."""
    house = Slices(ROUTE)
    _calls(house, "a", Verdict.SUCCESS)
    house.made.checks.suspect("a", True)
    assert _order(house) == ["a", "b", "c"]
    house.clock.advance(61.0)
    house.made.tick()
    assert _order(house) == ["b", "c", "a"]
    _calls(house, "a", Verdict.SUCCESS)
    house.made.tick()
    assert _order(house) == ["a", "b", "c"]


def test_one_whose_breaker_is_off_is_left_alone() -> None:
    """It has no circuit, so nothing says that it should move."""
    off = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.OFF)))
    house = Slices(route(off, B))
    house.made.checks.suspect("a", True)
    assert _order(house, route(off, B)) == ["a", "b"]
    assert not house.made.checks.well(off, call(taken=route(off, B)))
    house.made.checks.suspect("a", False)
    assert house.made.checks.well(off, call(taken=route(off, B)))


def test_only_what_nothing_speaks_against_is_given_calls_without_need() -> None:
    """Not while degraded, open, or in the ramp, and not while its checks fail."""
    house = Slices(ROUTE)
    checks = house.made.checks
    assert checks.well(B, call(taken=ROUTE))
    checks.suspect("b", True)
    assert not checks.well(B, call(taken=ROUTE))
    checks.suspect("b", False)
    circuit = house.trip("b")
    assert not checks.well(B, call(taken=ROUTE))
    circuit.release("repaired", house.clock.now())
    assert (circuit.state, checks.well(B, call(taken=ROUTE))) == (State.CLOSED, False)
    house.clock.advance(5.0)
    house.made.tick()
    assert checks.well(B, call(taken=ROUTE))


def test_a_standby_is_not_well_for_a_scheme_that_fails_there() -> None:
    """A payment that the primary takes is not led there to prove it; those of other schemes are."""
    house = Sliced(sliced())
    house.mixed(30.0)
    for index in range(300):
        bad = index % 2 == 0
        house.one(FAILED if bad else Verdict.SUCCESS, "visa" if bad else "amex")
        house.clock.advance(0.1)
        if house.states():
            break
    assert set(house.states()) == {"scheme=visa"}
    assert not house.made.checks.well(A, of(house.taken, "visa"))
    assert house.made.checks.well(A, of(house.taken, "amex"))
