"""`proxy.guard.guards`: one circuit for each upstream and compartment, seen as a whole."""

from __future__ import annotations

from proxy.guard.permit import Permit
from proxy.model.breaker import BreakerLimits, BreakerMode
from proxy.model.bulkhead import BestEffort
from tests.support.values import candidate, response, route, upstream
from tests.unit.guard.sliced import CURRENCY, GOOD, SCHEME, Sliced, of, sliced
from tests.unit.guard.slices import Slices

A, B = candidate("a"), candidate("b")


def test_each_upstream_has_one_for_each_compartment() -> None:
    """Two routes of one operation share theirs; best effort has its own, as it has its places."""
    own = BestEffort(response(204), True, 3)
    house = Slices(
        route(A, B), route(A, name="more"), route(A, operation="refund"),
        route(A, name="track", best_effort=own),
    )  # fmt: skip
    known = [(row["upstream"], row["compartment"]) for row in house.made.report()]
    assert known == [
        ("a", "authorize"), ("b", "authorize"), ("a", "refund"), ("a", "best_effort/track"),
    ]  # fmt: skip


def test_each_change_is_told_with_what_led_to_it() -> None:
    """From which state to which, the figures, and when a probe is due."""
    house = Slices(route(A, B))
    house.trip("a")
    [told] = house.told
    assert (told.partner, told.upstream, told.compartment) == ("acme", "a", "authorize")
    assert (told.was, told.state, told.shadow) == ("closed", "open", False)
    assert "5" in told.reason
    assert (told.calls, told.failures) == (5, 5)
    assert told.next_probe_s is not None
    assert 3.7 <= told.next_probe_s <= 6.3


def test_calls_that_hang_are_seen_without_any_ending() -> None:
    """By the look once a second."""
    house = Slices(route(A, B))
    circuit = house.made.of("a", "authorize")
    for _ in range(30):
        assert isinstance(circuit.admit(house.clock.now()), Permit)
        house.clock.advance(0.5)
    for _ in range(20):
        house.clock.advance(1.0)
        house.made.tick()
    assert house.made.report()[0]["slow"] == 30
    assert [each.state for each in house.told] == ["degraded"]


def test_an_upstream_without_a_breaker_is_not_watched() -> None:
    """Its neighbour is."""
    off = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.OFF)))
    assert [row["upstream"] for row in Slices(route(off, B)).made.report()] == ["b"]


def test_narrow_slices_are_reported_behind_their_broad_one() -> None:
    """With their part and their name; metrics have those that were ever in trouble."""
    house = Sliced(sliced(A))
    house.mixed(30.0)
    parts = ["", "scheme=visa", "scheme=mastercard", "scheme=amex"]
    assert [row["part"] for row in house.made.report()] == parts
    assert house.made.report()[1]["slice"] == "a · authorize · scheme=visa"
    assert [row["part"] for row in house.made.metered()] == [""]
    house.mixed(8.0, "visa")
    assert [row["part"] for row in house.made.metered()] == ["", "scheme=visa"]
    assert house.told[0].part == "scheme=visa"
    broad = house.made.report()[0]
    assert house.made.places() == [(broad["partner"], "a", "authorize")]


def test_a_glance_is_a_part_of_the_report() -> None:
    """Of each slice, found by its names; nothing is made of what was never seen."""
    house = Sliced(sliced(A))
    glance = house.made.glance
    for failing in ("", "visa"):
        house.mixed(20.0, failing)
        for row in house.made.report():
            found = glance("a", "authorize", row["part"])
            assert found == {name: row[name] for name in found or ()}
            assert {"state", "why", "p99_ms", "admitted_share"} < set(found)
    nowhere = (("b", "authorize", ""), ("a", "authorize", "scheme=diners"),
               ("a", "authorize", "currency=eur"), ("b", "authorize", "scheme=visa"))  # fmt: skip
    assert [glance(*each) for each in nowhere] == [None] * 4
    assert Slices(route(A)).made.glance("a", "authorize", "scheme=visa") is None


def test_two_routes_of_one_operation_share_the_slices_of_a_dimension() -> None:
    """Each may have one more; one without any counts for the broad slice alone."""
    first, second = sliced(A), sliced(A, dimensions=(SCHEME, CURRENCY))
    house = Sliced(sliced(A, dimensions=(SCHEME, CURRENCY)))
    house.one(GOOD, "visa", "eur")
    now = house.clock.now()
    for taken, values in ((first, ("visa",)), (second, ("visa", "usd")), (route(A), ())):
        permit = house.at.admit(of(taken, *values), now)
        assert isinstance(permit, Permit)
        permit.end(GOOD, 0.1, now)
    calls = {row["part"]: row["calls"] for row in house.made.report()}
    assert calls == {"": 4, "scheme=visa": 3, "currency=eur": 1, "currency=usd": 1}


def test_an_operator_isolates_all_of_an_upstream() -> None:
    """Each of its compartments, and no other upstream's; the release lets go what is held."""
    house = Slices(route(A, B), route(A, name="back", operation="refund"))
    opened = house.trip("a")
    house.made.isolate("a", "their word", house.clock.now() + 60.0)
    states = [row["state"] for row in house.made.report()]
    assert states == ["isolated", "closed", "isolated"]
    assert house.made.report()[0]["why"] == "their word"
    house.made.release("a")
    assert [row["state"] for row in house.made.report()] == ["closed"] * 3
    assert opened.standing(house.clock.now()).admitted_share < 1.0


def test_a_release_leaves_alone_what_calls_have_opened() -> None:
    """It takes back an operator's word and nothing else; so does one that comes too late."""
    house = Slices(route(A, B))
    house.made.isolate("a", "their word", house.clock.now() + 1.0)
    house.clock.advance(2.0)
    house.made.tick()
    house.made.release("a")
    assert house.made.report()[0]["state"] == "half-open"


def test_what_is_off_has_nothing_to_hold() -> None:
    """And it is known."""
    off = candidate(upstream=upstream(breaker=BreakerLimits(BreakerMode.OFF)))
    made = Slices(route(off, B)).made
    assert (made.knows("a"), made.knows("b"), made.knows("x")) == (False, True, False)
