"""Rules for the order that a route asks for, and for what is told of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from proxy.model.call import Call
from proxy.model.ordering import Condition, Ordering, OrderMode
from proxy.model.route import KeyFrom, Route
from proxy.routing.orderings import ELSEWHERE_ONE_IN, REVIEW_S, Orderings, key_of
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, headers, request, route
from tests.unit.idempotency.values import KEYED

A, B, C = (candidate(name) for name in "abc")
WEIGHTED = route(A, B, ordering=Ordering(OrderMode.WEIGHTED, {"a": 3}), idempotency=KEYED)
HEALTHIEST = route(A, B, C, ordering=Ordering(OrderMode.HEALTHIEST))
WELL, SLOW = Condition(50, 0.0, 0.1), Condition(50, 0.02, 0.5)


class House:
    """The orders of one route; `known` is what is known of each upstream."""

    def __init__(self, taken: Route) -> None:
        self.clock = ManualClock()
        self.known: dict[str, Condition] = {}
        self.route = taken
        self.made = Orderings([taken], lambda name, _: self.known.get(name), self.clock.now)

    def ask(self, key: str | None = None, names: str = "abc") -> tuple[str, str]:
        """The order of one call, and why."""
        fields = headers(("Idempotency-Key", key)) if key else []
        made = call(request(fields=fields), self.route)
        made.id = "an-id"
        allowed = tuple(each for each in self.route.candidates if each.upstream.name in names)
        ordered = self.made.over(lambda _: allowed)(made)
        return "".join(each.upstream.name for each in ordered), made.why

    def after_a_review(self) -> list[str]:
        """The order as it is told."""
        self.clock.advance(REVIEW_S)
        self.made.look()
        (row,) = self.made.report()
        found: list[str] = row["now"]
        return found


def test_where_no_route_asks_for_it_nothing_is_put_in_between() -> None:
    """The choice is the choice itself."""
    choice = lambda _: (A,)  # noqa: E731 - compared by identity
    assert House(route(A, B)).made.over(choice) is choice


def test_a_repetition_has_the_order_of_its_first_call() -> None:
    """And says by which share."""
    house = House(WEIGHTED)
    orders = {key: house.ask(key) for key in ("k1", "k2", "k3", "k4", "k5", "k6", "k7", "k8")}
    assert {order for order, _ in orders.values()} == {"ab", "ba"}
    assert all(house.ask(key) == told for key, told in orders.items())
    assert {why for order, why in orders.values() if order == "ab"} == {
        "weighted: a is first for 75% of the keys"
    }
    assert house.ask("k1", "b") == ("b", "")


def test_what_a_repetition_has_as_well() -> None:
    """Its key; the fields that one is made from; else only the call itself has it."""
    body = b'{"reference": "r", "sent_at": 1}'
    fields = replace(KEYED, key_from=KeyFrom.FIELDS, fields=("/reference",))
    with_key = request(fields=headers(("Idempotency-Key", "k1")), body=body)

    def key(made: Call) -> bytes:
        assert made.route is not None
        return key_of(made, made.route)

    assert key(call(with_key, replace(WEIGHTED, idempotency=fields))) == b"k1"
    assert key(call(request(body=body), replace(WEIGHTED, idempotency=fields))) == b"r"
    plain = call(request(body=body), WEIGHTED)
    assert key(plain) == plain.id.encode()
    assert key(call(with_key, replace(WEIGHTED, idempotency=None))) == plain.id.encode()


def test_the_order_by_health_follows_the_figures_and_says_them() -> None:
    """Only after a while, so that it cannot flap; and back when there is no reason any more."""
    house = House(HEALTHIEST)
    house.known = {"a": SLOW, "b": WELL}
    house.made.look()
    assert house.ask() == ("abc", "")
    assert house.after_a_review() == ["b", "a", "c"]
    order, why = house.ask()
    assert order == "bac"
    assert why == (
        "healthiest: b (100 ms, at least 0.0% fail), a (500 ms, at least 2.0% fail), c (not known)"
    )
    house.known = {"a": Condition(50, 0.0, 0.12), "b": WELL}
    assert house.after_a_review() == ["b", "a", "c"]
    house.known = {"a": WELL, "b": WELL}
    assert house.after_a_review() == ["a", "b", "c"]
    assert house.made.report()[0]["why"] == (
        "healthiest: nobody is clearly better than the file's order"
    )


def test_one_call_in_ten_is_tried_elsewhere_first() -> None:
    """At each of the others in turn, and only among those where it may go."""
    house = House(HEALTHIEST)
    found = Counter(house.ask()[0] for _ in range(20 * ELSEWHERE_ONE_IN))
    assert found == {"abc": 180, "bac": 10, "cab": 10}
    found = Counter(house.ask(names="ab")[0] for _ in range(ELSEWHERE_ONE_IN))
    assert found == {"ab": 9, "ba": 1}


def test_what_is_told_of_weights() -> None:
    """The shares of the file."""
    (row,) = House(WEIGHTED).made.report()
    assert (row["route"], row["order"], row["now"]) == ("charges", "weighted", ["a", "b"])
    assert "a is first for 75% of the keys; " in row["why"]
