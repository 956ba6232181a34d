"""The retry layer above attempts that end as told, on virtual time."""

from __future__ import annotations

import random
from collections.abc import Iterator

from proxy.model.call import Call
from proxy.model.outcome import (
    Answered,
    Execution,
    InDoubt,
    Origin,
    Outcome,
    Unsent,
)
from proxy.model.phase import Phase
from proxy.model.route import Candidate, Retry
from proxy.retry.budget import RetryBudget
from proxy.retry.retrying import retry
from tests.support.manual_clock import ManualClock
from tests.support.values import attempt, call, candidate, headers, response, route

REFUSED = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)

DONE = Answered("acme", "a", response(), Execution.DONE)

IN_DOUBT = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)


def busy_answer(retry_after: str | None = None) -> Answered:
    """A partner's 429, with its wish for patience if it has one."""
    fields = headers(("Retry-After", retry_after)) if retry_after is not None else []
    return Answered("acme", "a", response(429, fields), Execution.NONE)


class Retrying:
    """The layer above attempts that end as told, on virtual time and with a seeded chance."""

    def __init__(
        self,
        *endings: Outcome | BaseException,
        policy: Retry | None = None,
        takes_s: float = 0.0,
        retries_min: int = 100,
        seed: int = 1,
    ) -> None:
        self.clock = ManualClock()
        self.asked = 0
        self._endings: Iterator[Outcome | BaseException] = iter(endings)
        self._takes_s = takes_s
        self.budget = RetryBudget(0.0, 10.0, retries_min, self.clock.now)
        self._policy = policy or Retry(3, 0.05, 0.5)
        layer = retry(self.budget, self.clock, self.clock.sleep, random.Random(seed))
        self._handle = layer(self._attempt)

    async def run(self, made: Call | None = None) -> Outcome:
        at = candidate()
        taken = route(at, deadline_s=30.0, retry=self._policy)
        made = made or call(taken=taken)
        made.route = taken
        return await self._handle(made, at)

    async def _attempt(self, made: Call, at: Candidate) -> Outcome:
        self.asked += 1
        made.attempts.append(attempt(self.asked, at))
        self.clock.advance(self._takes_s)
        ending = next(self._endings)
        if isinstance(ending, BaseException):
            raise ending
        return ending
