"""One request and its answer, as the faults see it: what they may do, in a few verbs."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field

from proxy.sandbox.chance import draw, log_normal_s
from proxy.sandbox.connection import Connection
from proxy.sandbox.endpoints import Partner
from proxy.sandbox.kinds import Execute
from proxy.sandbox.message import Answer, PartnerRequest, WireAnswer, error, wire
from proxy.sandbox.options import PartnerOptions
from proxy.sandbox.rules import Plan, Rule, latency_key
from proxy.sandbox.stats import Stats
from proxy.sandbox.workers import Workers

OVERLOADED = error(503, "overloaded", "too many requests wait for a worker")
"""Nothing was executed: no worker was free, and no more may wait."""

STAND_IN = error(500, "sandbox_fault", "a fault took the place of this answer")
"""What is written where nothing was executed and a fault needs bytes of an answer."""


@dataclass(slots=True)
class Exchange:
    """A request in hand. `keep_alive` is what the peer asked for."""

    partner: Partner
    options: PartnerOptions
    stats: Stats
    connection: Connection
    request: PartnerRequest
    plan: Plan
    keep_alive: bool
    workers: Workers = field(default_factory=Workers)

    async def execute(self) -> Answer:
        """Let a worker of the partner do the work, at its pace; durable on return."""
        asked_at = time.perf_counter()
        if not await self.workers.take():
            return OVERLOADED
        try:
            return await self._work(time.perf_counter() - asked_at)
        finally:
            self.workers.leave()

    async def _work(self, waited_s: float) -> Answer:
        before_s, after_s = self.pace()

        async def work() -> None:
            spent_s = time.perf_counter() - self.connection.received_at - waited_s
            if before_s > spent_s:
                await asyncio.sleep(before_s - spent_s)

        answer = await self.partner.answer(self.request, work)
        if after_s:
            await asyncio.sleep(after_s)
        return answer

    async def execute_first(self, rule: Rule) -> Answer:
        """The partner's answer if the rule executes before it acts, else the stand-in."""
        return await self.execute() if rule.execute is Execute.BEFORE else STAND_IN

    async def execute_late(self, rule: Rule) -> None:
        """Execute after the fault, where the rule says so; nobody gets this answer."""
        if rule.execute is Execute.AFTER:
            await self.execute()

    def wire(self, answer: Answer) -> WireAnswer:
        """The answer as it would properly go out now."""
        time_ms = (time.perf_counter() - self.connection.received_at) * 1000
        made = wire(answer, self.request.nonce, time_ms)
        if not self.keep_alive:
            made.headers.append((b"Connection", b"close"))
        if self.request.method == "HEAD":
            made.body = b""
        return made

    def applied(self, rule: Rule) -> None:
        """Count a fault that takes effect."""
        self.stats.faults[rule.kind] += 1

    def pace(self) -> tuple[float, float]:
        """Seconds of work before the execution, and seconds lost after it."""
        what = ("latency", self.request.operation, latency_key(self.request))
        usual_s = log_normal_s(
            self.options.latency_p50_ms,
            self.options.latency_sigma,
            draw(self.options.seed, *what),
        )
        rule = self.plan.pace
        if rule is None:
            return usual_s, 0.0
        self.applied(rule)
        delay_ms, factor = rule.params["delay_ms"], rule.params["factor"]
        more_s = delay_ms / 1000 if delay_ms is not None else usual_s * (factor - 1)
        return (usual_s + more_s, 0.0) if rule.execute is Execute.AFTER else (usual_s, more_s)
