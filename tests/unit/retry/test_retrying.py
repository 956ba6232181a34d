"""`proxy.retry.retrying`: more attempts at the same upstream, each bound stated and kept."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.call import Call
from proxy.model.outcome import (
    Answered,
    Execution,
    InDoubt,
    Origin,
    Outcome,
    Refused,
    Unsent,
)
from proxy.model.phase import Phase
from proxy.model.route import Candidate, Retry
from proxy.retry.budget import RetryBudget
from proxy.retry.retrying import retry, retry_after_s, retryable
from tests.support.manual_clock import ManualClock
from tests.support.values import attempt, call, candidate, response, route
from tests.unit.retry.tries import DONE, IN_DOUBT, REFUSED, Retrying, busy_answer

WAITED = (Phase.QUEUE, Phase.RESOLVE)


@pytest.mark.parametrize("phase", [phase for phase in Phase if phase not in WAITED])
def test_what_failed_before_a_byte_left_may_be_repeated(phase: Phase) -> None:
    """Except where waiting here was the failure: asking again makes the queue longer."""
    assert retryable(Unsent("acme", "a", phase, "refused", Origin.PARTNER))
    assert not retryable(Unsent("acme", "a", phase, "deadline", Origin.PROXY))
    assert not retryable(Unsent("acme", "a", Phase.QUEUE, "pool_full", Origin.PROXY))


def test_a_name_without_addresses_is_not_waited_for_twice() -> None:
    """The resolver asks on by itself; a second attempt would only double the wait."""
    assert not retryable(Unsent("acme", "a", Phase.RESOLVE, "timeout", Origin.DNS))


@pytest.mark.parametrize("execution", [Execution.DONE, Execution.UNKNOWN])
def test_what_was_or_may_have_been_executed_is_never_repeated(execution: Execution) -> None:
    """Whatever kind of outcome says so."""
    for outcome in (
        Answered("acme", "a", response(429), execution),
        Refused("x", 503, "x", execution=execution),
        Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER, execution),
        InDoubt("acme", "a", Phase.SEND, "reset", Origin.PARTNER, execution),
    ):
        assert not retryable(outcome)


def test_our_own_refusal_is_not_repeated() -> None:
    """It would be refused again."""
    assert not retryable(Refused("breaker_open", 503, "No.", Origin.PROXY))


async def test_the_first_attempt_that_answers_is_the_only_one() -> None:
    """And no time passes."""
    retrying = Retrying(DONE)
    assert await retrying.run() is DONE
    assert (retrying.asked, retrying.clock.slept) == (1, [])


async def test_an_attempt_that_proved_none_is_repeated_until_it_helps() -> None:
    """The first outcome counts as the first attempt: it is not asked for twice."""
    retrying = Retrying(REFUSED, REFUSED, DONE)
    assert await retrying.run() is DONE
    assert (retrying.asked, len(retrying.clock.slept)) == (3, 2)


@pytest.mark.parametrize("attempts_max", [1, 2, 3, 10])
async def test_there_are_never_more_attempts_than_allowed(attempts_max: int) -> None:
    """The last outcome is told as it is, not wrapped in an error of tenacity's."""
    endings = [Unsent("acme", "a", Phase.TLS, f"r{number}", Origin.PARTNER) for number in range(20)]
    retrying = Retrying(*endings, policy=Retry(attempts_max, 0.05, 0.5))
    assert await retrying.run() is endings[attempts_max - 1]
    assert retrying.asked == attempts_max


@pytest.mark.parametrize("second", [IN_DOUBT, Answered("a", "a", response(500), Execution.UNKNOWN)])
async def test_an_unknown_ends_it_at_once(second: Outcome) -> None:
    """However many attempts are left."""
    retrying = Retrying(REFUSED, second, DONE)
    assert await retrying.run() is second
    assert retrying.asked == 2


@given(st.integers(0, 2**32), st.floats(0.001, 1.0), st.floats(0.001, 5.0), st.integers(2, 10))
async def test_waits_have_full_jitter_below_a_doubling_bound(
    seed: int, base_s: float, max_s: float, attempts_max: int
) -> None:
    """Wait n is anywhere in [0, min(max, base * 2^(n-1))]."""
    policy = Retry(attempts_max, base_s, max_s)
    retrying = Retrying(*[REFUSED] * 10, policy=policy, seed=seed)
    await retrying.run()
    for number, waited_s in enumerate(retrying.clock.slept):
        assert 0.0 <= waited_s <= min(max_s, base_s * 2**number)


async def test_waits_differ_between_calls() -> None:
    """Many sidecars must not come back at the same instant."""
    waits = set()
    for seed in range(20):
        retrying = Retrying(REFUSED, DONE, seed=seed)
        await retrying.run()
        waits.update(retrying.clock.slept)
    assert len(waits) == 20


async def test_a_partner_that_asks_for_patience_gets_at_least_that() -> None:
    """`Retry-After` in seconds is waited for, and jitter comes on top."""
    retrying = Retrying(busy_answer("2"), DONE)
    assert await retrying.run() is DONE
    (waited_s,) = retrying.clock.slept
    assert 2.0 <= waited_s <= 2.05


async def test_patience_beyond_the_deadline_is_not_begun() -> None:
    """The call is answered now with what is known, and no permit is spent."""
    busy = busy_answer("31")
    retrying = Retrying(busy, DONE, retries_min=1)
    assert await retrying.run() is busy
    assert (retrying.asked, retrying.clock.slept) == (1, [])
    assert retrying.budget.take(), "the budget was not asked"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        ("99999", 99999.0),
        ("100000", None),
        ("-1", None),
        ("1.5", None),
        ("", None),
        ("Wed, 21 Oct 2026 07:28:00 GMT", None),
    ],
)
def test_only_whole_seconds_of_retry_after_are_understood(
    value: str, seconds: float | None
) -> None:
    """A date needs a clock that both sides trust; nonsense is no wish at all."""
    assert retry_after_s(busy_answer(value)) == seconds
    assert retry_after_s(busy_answer()) is None


async def test_no_attempt_begins_after_the_deadline() -> None:
    """Attempts take their time from the same budget as the waits."""
    retrying = Retrying(*[REFUSED] * 10, policy=Retry(10, 0.05, 0.5), takes_s=14.0)
    await retrying.run()
    assert retrying.asked == 3
    assert retrying.clock.now() <= 1000.0 + 14.0 * 3 + 1.0


async def test_without_budget_the_first_outcome_stands() -> None:
    """Trouble is not multiplied."""
    retrying = Retrying(REFUSED, DONE, retries_min=0)
    assert await retrying.run() is REFUSED
    assert (retrying.asked, retrying.clock.slept) == (1, [])


async def test_each_retry_spends_one_permit_and_calls_that_need_none_spend_none() -> None:
    """The bound is on retries, not on attempts."""
    retrying = Retrying(DONE, REFUSED, REFUSED, REFUSED, retries_min=3)
    await retrying.run()
    await retrying.run()
    assert retrying.budget.take()
    assert not retrying.budget.take()


async def test_a_call_is_counted_once_however_many_candidates_it_has() -> None:
    """Failover enters the layer again: that is the same call, or budgets would grow by trouble."""
    clock = ManualClock()
    budget = RetryBudget(1.0, 10.0, 0, clock.now)

    async def inner(made: Call, at: Candidate) -> Outcome:
        made.attempts.append(attempt(len(made.attempts) + 1, at))
        return DONE

    handle = retry(budget, clock, clock.sleep, random.Random(1))(inner)
    made = call()
    made.route = route(retry=Retry(2, 0.05, 0.5))
    for _ in range(3):
        await handle(made, candidate())
    assert budget.take()
    assert not budget.take()


async def test_calls_that_are_never_retried_are_no_base_for_retries() -> None:
    """Or a busy route without retries would let a small one retry without bound."""
    clock = ManualClock()
    budget = RetryBudget(1.0, 10.0, 0, clock.now)

    async def inner(made: Call, at: Candidate) -> Outcome:
        made.attempts.append(attempt(len(made.attempts) + 1, at))
        return DONE

    handle = retry(budget, clock, clock.sleep, random.Random(1))(inner)
    await handle(call(), candidate())
    assert not budget.take()
