"""`proxy.guard.family`: the narrowest slice that explains it is acted on, and no other."""

from __future__ import annotations

from proxy.guard.permit import Permit, Refusal
from proxy.guard.verdicts import Verdict
from tests.unit.guard.sliced import CURRENCY, FAILED, GOOD, SCHEME, A, Sliced, of, sliced


def test_where_one_scheme_fails_its_breaker_opens_and_no_other() -> None:
    """Its calls are refused by name; the others flow."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(10.0, "visa")
    assert house.states() == {"scheme=visa": "open"}
    assert isinstance(house.ask("visa"), Refusal)
    assert house.at.refuser.name == "a · authorize · scheme=visa"
    for scheme in ("mastercard", "amex", "none"):
        assert isinstance(house.ask(scheme), Permit)
    assert {each.part for each in house.told} == {"scheme=visa"}


def test_where_all_fail_the_broad_breaker_opens_and_not_each_of_them() -> None:
    """One breaker, one sentence."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(10.0, "visa", "mastercard", "amex")
    assert house.states() == {"all": "open"}
    assert {each.part for each in house.told} == {""}


def test_two_schemes_of_three_are_both_left_out() -> None:
    """What is left is well."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(10.0, "visa", "mastercard")
    assert house.states() == {"scheme=visa": "open", "scheme=mastercard": "open"}


def test_when_the_rest_fails_as_well_the_broad_breaker_takes_over() -> None:
    """What was found of one scheme was the beginning of it."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(10.0, "visa")
    house.mixed(10.0, "visa", "mastercard", "amex")
    assert house.states() == {"all": "open"}


def test_a_route_that_has_one_scheme_only_has_a_broad_failure() -> None:
    """There is nothing else that could be well."""
    house = Sliced(sliced())
    for _ in range(200):
        house.one(FAILED, "visa")
        house.clock.advance(0.1)
        if house.told:
            break
    assert house.states() == {"all": "open"}


def test_a_scheme_comes_back_by_probes_and_a_ramp_of_its_own() -> None:
    """And then its calls count for the whole again."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(4.0, "visa")
    house.clock.advance(60.0)
    house.mixed(20.0)
    assert house.states() == {}
    assert [each.state for each in house.told][-2:] == ["half-open", "closed"]
    assert all(each.part == "scheme=visa" for each in house.told)
    calls, _ = house.at.circuit.tally(house.clock.now())
    assert calls > 60 + 30 * 2 / 3


def test_what_cannot_connect_has_no_scheme() -> None:
    """Nobody could know it: it counts for all."""
    house = Sliced(sliced())
    house.mixed(30.0)
    for _ in range(8):
        house.one(Verdict.UNREACHABLE, "visa")
        house.clock.advance(0.5)
    assert house.states() == {"all": "open"}
    assert house.part("scheme=visa").circuit.tally(house.clock.now())[1] == 0


def test_a_scheme_that_hangs_is_found_before_its_calls_end() -> None:
    """The others are not held responsible."""
    house = Sliced(sliced())
    house.mixed(120.0)
    out = []
    for index in range(200):
        if index % 2:
            house.one(GOOD, "mastercard")
        elif isinstance(permit := house.ask("visa"), Permit):
            out.append(permit)
        house.clock.advance(0.1)
        if index % 10 == 0:
            house.made.tick()
    assert house.states() == {"scheme=visa": "degraded"}
    for permit in out:
        permit.end(FAILED, 20.0, house.clock.now())
        house.clock.advance(0.05)
    assert house.states() == {"scheme=visa": "open"}


def test_late_endings_of_a_scheme_that_is_out_change_nothing() -> None:
    """Neither in its own breaker's new era, nor in the broad one."""
    house = Sliced(sliced())
    house.mixed(30.0)
    late = [house.ask("visa") for _ in range(40)]
    house.mixed(10.0, "visa")
    before = house.made.report()
    for permit in late:
        assert isinstance(permit, Permit)
        permit.end(FAILED, 5.0, house.clock.now())
    assert house.made.report() == before


def test_of_two_dimensions_the_one_that_explains_it_is_named() -> None:
    """Visa fails in each currency, so no currency does."""
    house = Sliced(sliced(A, dimensions=(SCHEME, CURRENCY)))
    for index in range(900):
        scheme = ("visa", "mastercard", "amex")[index % 3]
        currency = ("eur", "eur", "usd", "eur")[index % 4]
        house.one(FAILED if index >= 600 and scheme == "visa" else GOOD, scheme, currency)
        house.clock.advance(0.05)
    assert house.states() == {"scheme=visa": "open"}


def test_a_call_that_outlasts_its_schemes_recovery_gives_its_permit_back() -> None:
    """Kept for ever it would hang, and be held against the scheme when it fails next."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(4.0, "visa")
    house.clock.advance(60.0)
    while house.states():
        house.mixed(0.3)
    out = [permit for _ in range(40) if isinstance(permit := house.ask("visa"), Permit)]
    assert any(permit.held for permit in out)
    house.clock.advance(60.0)
    house.made.tick()
    assert house.at.family is not None
    assert not house.at.family.parts.apart
    for permit in out:
        permit.end(GOOD, 0.1, house.clock.now())
    assert not any(held.open for permit in out for held in permit.held)
    assert house.part("scheme=visa").circuit.tally(house.clock.now()) == (len(out), 0)


def test_the_last_way_out_is_there_for_a_scheme_as_well() -> None:
    """Forced through both its breaker and the broad one, it can close its own."""
    house = Sliced(sliced())
    house.mixed(30.0)
    house.mixed(10.0, "visa")
    for _ in range(3):
        permit = house.at.admit_anyway(of(house.taken, "visa"), house.clock.now())
        assert isinstance(permit, Permit)
        assert permit.forced
        permit.end(GOOD, 0.1, house.clock.now())
    assert house.states() == {}


def test_an_operators_word_about_all_holds_for_each_scheme() -> None:
    """Even at the last way out."""
    house = Sliced(sliced())
    now = house.clock.now()
    house.at.circuit.isolate("maintenance", now + 60.0, now)
    refused = house.at.admit_anyway(of(house.taken, "visa"), now)
    assert isinstance(refused, Refusal)
    assert house.at.refuser is house.at
