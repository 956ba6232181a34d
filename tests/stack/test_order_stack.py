"""Where a call goes first, and where it may go after an unknown, with every layer in its place."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.message import header
from proxy.model.ordering import Ordering, OrderMode
from proxy.model.route import Money, Route
from proxy.routing.orderings import Orderings
from tests.stack.stories import OK, REFUSED, RESET, said, two_candidates
from tests.support.attempt_stack import AttemptStack
from tests.support.scripted import Step
from tests.support.values import request
from tests.unit.idempotency.values import KEYED

WEIGHTED = Ordering(OrderMode.WEIGHTED, {"a": 1, "b": 1})


class _Street:
    """A stack whose route asks for an order."""

    def __init__(self, taken: Route, **scripts: list[Step]) -> None:
        orderings = Orderings([taken], lambda *_: None, float)
        choice = orderings.over(lambda _: taken.candidates)
        self.stack = AttemptStack(taken, {"a": [], "b": [], **scripts}, choice=choice)

    async def first(self, key: str) -> str:
        """Where the call with this key went."""
        fields = [header(b"Idempotency-Key", key.encode())]
        return str(said(await self.stack.ask(request(fields=fields)))[3])


async def test_a_key_goes_the_same_way_whenever_it_comes() -> None:
    """Half of them here, half of them there."""
    taken = replace(two_candidates(), ordering=WEIGHTED, idempotency=KEYED)
    street = _Street(taken, a=[OK] * 60, b=[OK] * 60)
    once = [await street.first(f"k{number}") for number in range(30)]
    again = [await street.first(f"k{number}") for number in range(30)]
    assert once == again
    assert 5 <= once.count("a") <= 25


async def test_what_is_unwell_is_behind_whatever_the_weights_say() -> None:
    """The breakers have the last word about the order, but for the one call in twenty."""
    taken = replace(two_candidates(), ordering=WEIGHTED, idempotency=KEYED)
    street = _Street(taken, a=[REFUSED] * 90, b=[OK] * 90)
    for number in range(40):
        await street.first(f"k{number}")
    sent = len(street.stack.attempts)
    assert sent == 1
    assert {await street.first(f"k{number}") for number in range(10)} == {"b"}


async def test_what_moves_no_money_moves_on_after_an_unknown() -> None:
    """A 3-D Secure step or an inquiry may be executed twice; a payment may not."""
    free = replace(two_candidates(money=Money.NO), operation="authenticate")
    stack = AttemptStack(free, {"a": [RESET], "b": [OK]})
    assert said(await stack.ask()) == (201, "answered", "done", "b", "2")
    paying = AttemptStack(two_candidates(), {"a": [RESET], "b": [OK]})
    assert said(await paying.ask()) == (502, "in_doubt", "unknown", "a", "1")
