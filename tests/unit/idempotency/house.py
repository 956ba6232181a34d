"""The journal's layers over a store in memory and a partner that answers by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from proxy.idempotency.claim import Claims
from proxy.idempotency.fence import fence
from proxy.idempotency.journal import Journal
from proxy.idempotency.record import State
from proxy.idempotency.seal import Sealer
from proxy.model.call import Attempt, Call
from proxy.model.outcome import Answered, Execution, Outcome, Refused, Unsent
from proxy.model.route import Candidate, Idempotency, OwnKeys, Route
from proxy.pipeline.layer import stack
from proxy.routing.failover import failover
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, headers, request, response, route
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import KEYED

Partner = Callable[[Call, Candidate], Outcome]
OWN = OwnKeys(b"Idempotency-Key", 64, 3600.0, frozenset({402}))


def done(status: int = 201, body: bytes = b"charged") -> Answered:
    """A complete answer of upstream a."""
    return Answered("acme", "a", response(status, (), body), Execution.DONE)


class House:
    """`ask` makes a call; `answers` are what the partner does, one attempt after another."""

    def __init__(self, *, own_keys: bool = False, rule: Idempotency = KEYED) -> None:
        self.clock = ManualClock()
        self.store = MemoryStore(self.clock)
        self.bugs: list[Exception] = []
        loop = asyncio.get_running_loop()
        self.journal = Journal(self.store, loop, 0.05, self.bugs.append)
        self.claims = Claims(self.journal, Sealer({"k": b"k" * 32}), b"s" * 32, "me", self.clock)
        self.answers: list[Outcome | Exception] = []
        self.sent: list[tuple[str, str | None]] = []
        """(upstream, the partner's key) of each attempt."""
        self.gate: asyncio.Event | None = None
        keys = OWN if own_keys else OwnKeys()
        self.route: Route = replace(
            route(*[replace(candidate(name), own_keys=keys) for name in "ab"]), idempotency=rule
        )
        fenced = fence(self.journal, self.clock.now)
        attempts = fenced(self._attempt)
        self._handle = stack(self.claims.layer(), innermost=failover(attempts, self.clock))

    async def _attempt(self, made: Call, chosen: Candidate) -> Outcome:
        record = Attempt(number=len(made.attempts) + 1, candidate=chosen, begun_at=self.clock.now())
        made.attempts.append(record)
        self.sent.append((chosen.upstream.name, made.ticket.partner_key if made.ticket else None))
        if self.gate is not None:
            await self.gate.wait()
        answer = self.answers.pop(0)
        if isinstance(answer, Exception | Answered):
            record.sent_at = self.clock.now()
        if isinstance(answer, Exception):
            raise answer
        if not isinstance(answer, Refused | Unsent):
            record.sent_at = self.clock.now()
        record.outcome = answer
        return answer

    def call(self, key: str | None = "k1", body: bytes = b"{}", method: bytes = b"POST") -> Call:
        """A call of the route, with or without a key."""
        fields: Sequence[tuple[str, str]] = () if key is None else (("Idempotency-Key", key),)
        asked = request(method, fields=headers(*fields), body=body, arrived_at=self.clock.now())
        return call(asked, self.route)

    async def ask(self, key: str | None = "k1", body: bytes = b"{}") -> Outcome:
        """How a call ends."""
        return await self._handle(self.call(key, body))

    async def handle(self, made: Call) -> Outcome:
        """How this call ends."""
        return await self._handle(made)


def refused(outcome: Outcome) -> tuple[str, int, Execution]:
    """Reason, status and execution of a refusal."""
    assert isinstance(outcome, Refused), outcome
    return outcome.reason, outcome.status, outcome.execution


def state(house: House) -> State:
    """Of the only row."""
    (row,) = house.store.rows.values()
    return row.state
