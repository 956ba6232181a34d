"""`proxy.routing.choose`: where a call may go is known before its key is claimed."""

from __future__ import annotations

from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.routing.choose import by_file, choose
from tests.support.values import call, candidate, response, route

A, B = candidate("a"), candidate("b")


async def _below(made: Call) -> Outcome:
    names = ",".join(each.upstream.name for each in made.candidates)
    return Answered("acme", names, response(), Execution.DONE)


async def test_what_is_chosen_stands_on_the_call_below() -> None:
    """In the order that was chosen, and nothing else."""
    chosen = await choose(lambda _: (B,))(_below)(call(taken=route(A, B)))
    assert chosen.upstream == "b"


async def test_by_the_file_it_is_the_routes_own_tuple() -> None:
    """No copy for each call."""
    made = call(taken=route(A, B))
    assert (await choose(by_file)(_below)(made)).upstream == "a,b"
    assert made.route is not None
    assert made.candidates is made.route.candidates


async def test_a_call_that_may_go_nowhere_goes_on_all_the_same() -> None:
    """Its answer may be stored, and only the journal knows."""
    assert (await choose(lambda _: ())(_below)(call())).upstream == ""
