"""Calls that press into one compartment, wait, work, end, fail and are cancelled, on virtual time.

Whoever drives it says what happens next; `look` holds what must be true in between.
"""

from __future__ import annotations

import asyncio

from proxy.guard.bulkheads import Bulkheads
from proxy.model.bulkhead import BulkheadLimits, Priority
from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from proxy.model.route import Candidate
from tests.simulation.virtual import VirtualLoop
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, request, response, route, upstream

ENDINGS: tuple[Outcome | Exception, ...] = (
    Answered("acme", "a", response(), Execution.DONE),
    Answered("acme", "a", response(429), Execution.NONE),
    InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.NETWORK),
    ZeroDivisionError("a bug below"),
)


class Crowd:
    """One compartment behind the real layer, and everybody who wants in."""

    def __init__(self, limits: BulkheadLimits) -> None:
        self.clock = ManualClock()
        self.loop = VirtualLoop(self.clock)
        self.limits = limits
        self._at = candidate(upstream=upstream(bulkhead=limits))
        self._routes = [route(self._at, priority=priority) for priority in Priority]
        bulkheads = Bulkheads(self._routes, self.clock.now)
        self._handle = bulkheads.layer()(self._attempt)
        self.places = bulkheads.of("a", "authorize")
        self.tasks: list[asyncio.Task[Outcome]] = []
        self.inside: list[asyncio.Future[Outcome]] = []
        """Attempts at work."""
        self.refused = 0

    async def _attempt(self, _: Call, __: Candidate) -> Outcome:
        ends: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self.inside.append(ends)
        try:
            return await ends
        finally:
            self.inside.remove(ends)

    # -- events ----------------------------------------------------------------------

    def come(self, priority: Priority, deadline_s: float) -> None:
        """A call arrives."""
        made = call(request(arrived_at=self.clock.now()), self._routes[priority])
        made.deadline_at = self.clock.now() + deadline_s
        self.tasks.append(self.loop.create_task(self._through(made)))

    async def _through(self, made: Call) -> Outcome:
        outcome = await self._handle(made, self._at)
        self.refused += isinstance(outcome, Refused)
        return outcome

    def end(self, index: int, ending: Outcome | Exception) -> None:
        """An attempt ends, in whatever way."""
        ends = self.inside[index % len(self.inside)]
        if ends.done():
            return
        if isinstance(ending, Exception):
            ends.set_exception(ending)
        else:
            ends.set_result(ending)

    def cancel(self, index: int) -> None:
        """A call is cancelled wherever it is: not begun, waiting, just let in, or at work."""
        self.tasks[index % len(self.tasks)].cancel()

    def advance(self, seconds: float) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    # -- between them -----------------------------------------------------------------

    def tick(self) -> None:
        """One pass of the loop: some have been told, and have not run yet."""
        self.loop.tick()
        self._forget()
        assert 0 <= len(self.inside) <= self.places.at_work <= self.limits.at_work_max

    def settle(self) -> None:
        """Everything that can happen at this instant; then the books must be even."""
        self.loop.settle()
        self._forget()
        places = self.places
        assert places.at_work == len(self.inside)
        assert places.at_work <= self.limits.at_work_max
        assert places.waiting == len(self.tasks) - len(self.inside)
        assert places.waiting <= self.limits.waiting_max
        assert not places.waiting or places.at_work >= places.limit

    def _forget(self) -> None:
        for task in self.tasks:
            if task.done() and not task.cancelled():
                task.exception()  # seen
        self.tasks = [task for task in self.tasks if not task.done()]

    def go_home(self) -> None:
        """Everybody leaves, and nothing is left behind."""
        self.settle()
        while self.inside or self.places.waiting:
            for index in range(len(self.inside)):
                self.end(index, ENDINGS[0])
            self.settle()
        assert (self.places.at_work, self.places.waiting) == (0, 0)
        self.loop.end()
        assert self.loop.errors == []
