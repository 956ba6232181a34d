"""`proxy.routing.failover`: in order, and only as far as nothing can be lost by it."""

from __future__ import annotations

import pytest

from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Candidate, Money
from proxy.routing.failover import failover
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, request, response, route, rule


def _answer(at: str, execution: Execution) -> Outcome:
    return Answered("acme", at, response(), execution)


def _unsent(at: str) -> Outcome:
    return Unsent("acme", at, Phase.CONNECT, "refused", Origin.PARTNER)


def _in_doubt(at: str) -> Outcome:
    return InDoubt("acme", at, Phase.FIRST_BYTE, "timeout", Origin.PARTNER)


class _Walk:
    """Failover above attempts that end as told, each after some seconds."""

    def __init__(self, *endings: Outcome, takes_s: float = 0.0) -> None:
        self.asked: list[str] = []
        self._clock = ManualClock()
        self._takes_s = takes_s
        self._endings = {ending.upstream: ending for ending in endings}

    async def run(self, money: Money = Money.YES, method: bytes = b"POST") -> Outcome:
        candidates = [candidate(name, rule=rule(money)) for name in "abc"]
        made = call(request(method), route(*candidates, deadline_s=30.0))
        return await failover(self._attempt, self._clock)(made)

    async def _attempt(self, made: Call, at: Candidate) -> Outcome:
        self.asked.append(at.upstream.name)
        self._clock.advance(self._takes_s)
        return self._endings[at.upstream.name]


async def test_the_first_candidate_is_asked_first_and_alone_if_it_answers() -> None:
    """Order is the file's order."""
    walk = _Walk(_answer("a", Execution.DONE))
    assert (await walk.run()).upstream == "a"
    assert walk.asked == ["a"]


async def test_after_proof_of_nothing_the_next_is_asked() -> None:
    """Unsent and an answer that proves none are alike."""
    walk = _Walk(_unsent("a"), _answer("b", Execution.NONE), _answer("c", Execution.DONE))
    assert (await walk.run()).upstream == "c"
    assert walk.asked == ["a", "b", "c"]


@pytest.mark.parametrize("ending", [_in_doubt("a"), _answer("a", Execution.UNKNOWN)])
@pytest.mark.parametrize(
    ("money", "method"), [(Money.YES, b"POST"), (Money.YES, b"GET"), (Money.BY_METHOD, b"POST")]
)
async def test_after_an_unknown_money_goes_nowhere_else(
    ending: Outcome, money: Money, method: bytes
) -> None:
    """However it came to be unknown; a charging GET is no exception."""
    walk = _Walk(ending, _answer("b", Execution.DONE))
    assert await walk.run(money, method) is ending
    assert walk.asked == ["a"]


@pytest.mark.parametrize(("money", "method"), [(Money.NO, b"POST"), (Money.BY_METHOD, b"GET")])
async def test_after_an_unknown_what_moves_no_money_goes_on(money: Money, method: bytes) -> None:
    """An inquiry may be asked elsewhere."""
    walk = _Walk(_in_doubt("a"), _answer("b", Execution.DONE))
    assert (await walk.run(money, method)).upstream == "b"
    assert walk.asked == ["a", "b"]


async def test_what_was_in_doubt_is_not_hidden_by_a_later_failure() -> None:
    """The reply must not say none when an earlier candidate may have executed."""
    walk = _Walk(_in_doubt("a"), _unsent("b"), _unsent("c"))
    told = await walk.run(Money.NO)
    assert (told.upstream, told.execution) == ("a", Execution.UNKNOWN)


async def test_when_all_fail_the_last_word_is_told() -> None:
    """Nothing was sent anywhere: the fresh failure says most."""
    walk = _Walk(_unsent("a"), _unsent("b"), _unsent("c"))
    assert (await walk.run()).upstream == "c"


async def test_no_other_candidate_is_begun_after_the_deadline() -> None:
    """The budget is one for all of them; the first is always asked."""
    walk = _Walk(_unsent("a"), _unsent("b"), _unsent("c"), takes_s=15.0)
    assert (await walk.run()).upstream == "b"
    assert walk.asked == ["a", "b"]


async def test_the_rule_is_that_of_the_candidate_that_was_asked() -> None:
    """Partners may declare an operation differently; the one that may have executed decides."""
    asked: list[str] = []

    async def attempt(made: Call, at: Candidate) -> Outcome:
        asked.append(at.upstream.name)
        return _in_doubt(at.upstream.name)

    candidates = [
        candidate("a", rule=rule(Money.NO)),
        candidate("b", rule=rule(Money.YES)),
        candidate("c", rule=rule(Money.NO)),
    ]
    await failover(attempt, ManualClock())(call(taken=route(*candidates)))
    assert asked == ["a", "b"]
