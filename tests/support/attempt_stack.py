"""The whole stack of `app.call_path` on virtual time, above scripted transports.

The layers are the real ones in the real order; only the clock, the sleep, the
dice and the wire are the test's.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from proxy.guard.bulkheads import Bulkheads
from proxy.guard.dimensioned import dimensioned
from proxy.guard.guards import Guards
from proxy.inbound.access import access
from proxy.inbound.admission import Admission
from proxy.inbound.best_effort import Background
from proxy.inbound.translate import Identities, translate
from proxy.model.call import Attempt, Call
from proxy.model.events import AttemptEnded, CallEnded, Event
from proxy.model.message import Request, Response
from proxy.model.outcome import Outcome
from proxy.model.route import Route
from proxy.pipeline.deadline import deadline
from proxy.pipeline.layer import Choice, stack
from proxy.pipeline.observe import observe
from proxy.pipeline.rescue import rescue
from proxy.retry.budget import RetryBudget
from proxy.retry.retrying import retry
from proxy.routing.choose import by_file, choose
from proxy.routing.failover import failover
from proxy.routing.routed import routed
from proxy.routing.table import RouteTable
from proxy.upstream.attempt import attempts
from proxy.upstream.transport import Transport
from tests.support.manual_clock import ManualClock
from tests.support.scripted import ScriptedPool, Sent, Step
from tests.support.values import request

HOSTS = frozenset((b"localhost",))


@dataclass(frozen=True, slots=True)
class Answer:
    """What the application got, with its labels (names in lower case, without `tidegate-`)."""

    response: Response
    labels: dict[str, str]
    took_s: float


class AttemptStack:
    """One route above scripted upstreams; `ask` makes a call and answers as the edge would."""

    def __init__(
        self,
        route: Route,
        scripts: Mapping[str, Sequence[Step]],
        *,
        seed: int = 1,
        retries_min: int = 1000,
        choice: Choice = by_file,
    ) -> None:
        self.clock = ManualClock()
        self.sent: list[Sent] = []
        self.events: list[Event] = []
        self.calls: list[Call] = []
        self.bugs: list[BaseException] = []
        self.admission = Admission(10)
        self.bulkheads = Bulkheads([route], self.clock.now)
        self.guards = Guards([route], self.clock.now, self.events.append, random.Random(seed))
        self.background = Background(self.bugs.append)
        identities = Identities(b"%d" % seed)
        transports = {
            name: Transport(ScriptedPool(name, self.clock, steps, self.sent).as_pool())
            for name, steps in scripts.items()
        }
        budget = RetryBudget(0.0, 10.0, retries_min, self.clock.now)
        below = stack(
            retry(budget, self.clock, self.clock.sleep, random.Random(seed)),
            self.guards.layer(),
            self.bulkheads.layer(),
            innermost=attempts(transports, self.clock, identities.span_id, self.events.append),
        )
        self._identities = identities
        self._reply = rescue(
            stack(
                observe(self.clock, self.events.append),
                access(HOSTS, None),
                routed(RouteTable([route])),
                self.background.layer(),
                self.admission.layer(),
                dimensioned([route]),
                choose(self.guards.order(choice)),
                deadline(self.clock),
                innermost=failover(below, self.clock, choice),
            )
        )

    async def ask(self, asked: Request | None = None) -> Answer:
        """One call from its first byte to its answer."""
        asked = asked or request()
        asked.arrived_at = began_at = self.clock.now()
        made = translate(asked, self._identities)
        self.calls.append(made)
        reply = await self._reply(made)
        lines = reply.labels.decode().lower().removesuffix("\r\n").split("\r\n")
        pairs = [line.removeprefix("tidegate-").partition(": ") for line in lines]
        labels = {name: value for name, _, value in pairs}
        return Answer(reply, labels, self.clock.now() - began_at)

    @property
    def sent_to(self) -> list[str]:
        """The upstreams that may have got a request, in order."""
        return [each.upstream for each in self.sent]

    @property
    def attempts(self) -> list[Attempt]:
        """The attempts of the last call."""
        return self.calls[-1].attempts

    @property
    def outcomes(self) -> list[Outcome]:
        """How calls ended, as observed."""
        return [event.outcome for event in self.events if isinstance(event, CallEnded)]

    @property
    def attempts_ended(self) -> int:
        """How many attempts were told."""
        return sum(isinstance(event, AttemptEnded) for event in self.events)
