"""`proxy.routing.failover`: in order, and only as far as nothing can be lost by it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.model.call import Call, Ticket
from proxy.model.egress import Egress
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
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
        return await self.walk(made)

    async def walk(self, made: Call) -> Outcome:
        """One call."""
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


class _Operator:
    """Says where calls may go, and may change it while a call is at work."""

    def __init__(self, *allowed: Candidate) -> None:
        self.allowed = allowed
        self.asked: list[str] = []
        self.then: tuple[Candidate, ...] | None = None
        """What holds from the first attempt on."""

    def choice(self, _: Call) -> tuple[Candidate, ...]:
        """Where a call may go now."""
        return self.allowed

    async def attempt(self, _: Call, at: Candidate) -> Outcome:
        """Nothing can be sent."""
        self.asked.append(at.upstream.name)
        if self.then is not None:
            self.allowed = self.then
        return _unsent(at.upstream.name)

    async def run(self, made: Call) -> Outcome:
        """The call's end."""
        return await failover(self.attempt, ManualClock(), self.choice)(made)


A, B, C = (candidate(name) for name in "abc")


async def test_only_what_was_chosen_is_asked() -> None:
    """The other candidates of the route are no way out."""
    operator = _Operator(B)
    made = call(taken=route(A, B, C))
    made.candidates = operator.allowed
    assert (await operator.run(made)).upstream == "b"
    assert operator.asked == ["b"]


async def test_what_an_operator_says_counts_for_a_call_at_work() -> None:
    """It does not move on to an upstream that was drained in the meantime."""
    operator = _Operator(A, B, C)
    operator.then = (A, C)
    made = call(taken=route(A, B, C))
    made.candidates = (A, B, C)
    await operator.run(made)
    assert operator.asked == ["a", "c"]


async def test_a_drain_between_the_choice_and_the_first_attempt_is_kept() -> None:
    """The claim takes time; nothing is sent by what held before it."""
    operator = _Operator()
    made = call(taken=route(A))
    told = await operator.run(made)
    assert (told.reason, told.execution, operator.asked) == ("no_candidate", Execution.NONE, [])


@pytest.mark.parametrize(
    ("resend", "execution"), [(True, Execution.UNKNOWN), (False, Execution.NONE)]
)
async def test_a_refusal_says_what_the_journal_said(resend: bool, execution: Execution) -> None:
    """None once it is known that nothing was executed under the key; 503, to be tried again."""
    made = call(taken=route(A))
    made.candidates = ()
    made.ticket = _ticket("gone", resend=resend)
    told = await _Operator().run(made)
    assert isinstance(told, Refused)
    assert (told.status, told.reason, told.execution) == (503, "no_candidate", execution)
    assert told.retry_after_s is not None


async def test_a_repetition_goes_where_the_first_sending_went() -> None:
    """Also when that upstream is drained: the doubt can be settled nowhere else."""
    operator = _Operator(A)
    made = call(taken=route(A, B))
    made.candidates, made.ticket = (A,), _ticket("b", resend=True)
    assert (await operator.run(made)).upstream == "b"
    assert operator.asked == ["b"]


async def test_a_repetition_takes_another_way_to_the_same_endpoint() -> None:
    """When nothing was sent by the first, and only there: another endpoint has other keys."""
    by_proxy = replace(A.upstream, name="p", egress=Egress(("192.0.2.7",)))
    walk = _Walk(_unsent("a"), _answer("p", Execution.DONE))
    made = call(taken=route(A, B, replace(A, upstream=by_proxy)))
    made.ticket = _ticket("a", resend=True)
    assert (await walk.walk(made)).upstream == "p"
    assert walk.asked == ["a", "p"]


def _ticket(only: str, *, resend: bool) -> Ticket:
    return Ticket(b"r" * 16, 1, 1, "k", resend, only if resend else None, frozenset())
