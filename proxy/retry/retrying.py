"""Repeats an attempt at the same upstream, through tenacity behind this adapter.

The first attempt does not pass through tenacity: it costs as much as half of
everything else, and nearly every call needs only one. tenacity's loop is
entered with the first outcome in hand. Its defaults are not ours: it would
never stop, so every bound is stated here.

Only an outcome with execution none is repeated, and of those only what another
try can change: a full pool, a name without addresses or a passed deadline is
not repaired by asking again.
"""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable

from tenacity import AsyncRetrying, RetryCallState, retry_if_result

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.outcome import Answered, Execution, Outcome, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Candidate, Retry
from proxy.pipeline.layer import AttemptHandler, AttemptLayer
from proxy.retry.budget import RetryBudget

Sleep = Callable[[float], Awaitable[None]]

_NOT_AGAIN = (Phase.QUEUE, Phase.RESOLVE)


def retry_after_s(outcome: Answered) -> float | None:
    """The partner's wish in whole seconds; the date form is not honoured, its clock is not ours."""
    for key, _, value in outcome.response.headers:
        if key == b"retry-after" and value.isdigit() and len(value) < 6:
            return float(value)
    return None


def retryable(outcome: Outcome) -> bool:
    """Whether the same upstream may be asked again.

    Not where a queue was full, which asking again makes longer, and not for want of an address:
    the resolver asks on by itself, and another attempt would only wait for it once more.
    """
    if outcome.execution is not Execution.NONE:
        return False
    if isinstance(outcome, Unsent):
        return outcome.phase not in _NOT_AGAIN and outcome.reason != "deadline"
    return isinstance(outcome, Answered)


def retry(budget: RetryBudget, clock: Clock, sleep: Sleep, rng: random.Random) -> AttemptLayer:
    """The layer; `sleep`, `clock` and `rng` are handed in so that tests need no time."""

    def layer(inner: AttemptHandler) -> AttemptHandler:
        def handle(call: Call, candidate: Candidate) -> Awaitable[Outcome]:
            assert call.route is not None
            policy = call.route.retry
            if policy.attempts_max == 1:
                return inner(call, candidate)
            return several(call, candidate, policy)

        async def several(call: Call, candidate: Candidate, policy: Retry) -> Outcome:
            if not call.attempts:
                budget.call()
            first = await inner(call, candidate)
            if not retryable(first):
                return first
            # tenacity's objects refer to each other; with the call among them, its card data
            # would stay in memory until the garbage collector next comes by
            deadline_at = call.deadline_at
            retrying = AsyncRetrying(
                sleep=sleep,
                wait=lambda state: _wait_s(state, policy, rng),
                stop=lambda state: _stop(state, policy, budget, deadline_at - clock.now()),
                retry=retry_if_result(retryable),
                retry_error_callback=_last_outcome,
            )
            outcome: Outcome = await retrying(_Again(inner, call, candidate, first))
            return outcome

        return handle

    return layer


class _Again:
    """What tenacity calls: gives the first outcome back at once, then makes new attempts."""

    def __init__(
        self, inner: AttemptHandler, call: Call, candidate: Candidate, first: Outcome
    ) -> None:
        self._inner = inner
        self._call = call
        self._candidate = candidate
        self._first: Outcome | None = first

    async def __call__(self) -> Outcome:
        first, self._first = self._first, None
        if first is not None:
            return first
        return await self._inner(self._call, self._candidate)


def _wait_s(state: RetryCallState, policy: Retry, rng: random.Random) -> float:
    """Full jitter: anywhere between nothing and the doubled base; never less than was asked for."""
    ceiling_s = policy.backoff_base_s * 2.0 ** (state.attempt_number - 1)
    wait_s = rng.uniform(0.0, min(policy.backoff_max_s, ceiling_s))
    outcome = _last_outcome(state)
    asked_s = retry_after_s(outcome) if isinstance(outcome, Answered) else None
    return wait_s if asked_s is None else asked_s + wait_s


def _stop(state: RetryCallState, policy: Retry, budget: RetryBudget, left_s: float) -> bool:
    """Enough attempts, no time for another, or no budget (asked last, since asking spends it)."""
    if state.attempt_number >= policy.attempts_max or state.upcoming_sleep >= left_s:
        return True
    return not budget.take()


def _last_outcome(state: RetryCallState) -> Outcome:
    assert state.outcome is not None
    outcome: Outcome = state.outcome.result()
    return outcome
