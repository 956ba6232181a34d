"""One run of a sidecar: the real layers from claim to attempt, on a loop of its own.

Only the clock, the store and the wire are the test's. To kill it is to never
drive its loop again.
"""

from __future__ import annotations

import asyncio
import json
import random
from dataclasses import dataclass, replace

from proxy.idempotency.claim import Claims
from proxy.idempotency.fence import fence
from proxy.idempotency.journal import Journal
from proxy.idempotency.record import Superseded
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settle import Settler
from proxy.inbound.translate import Identities
from proxy.model.call import Call
from proxy.model.events import Bug, Event, LateEnding
from proxy.model.message import Response
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate, Idempotency, KeyFrom, OwnKeys, Retry, Route
from proxy.model.settling import NO_RULE, Inquiry, Question, SettleRule
from proxy.pipeline.deadline import deadline
from proxy.pipeline.layer import Replier, stack
from proxy.pipeline.observe import observe
from proxy.pipeline.rescue import rescue
from proxy.retry.budget import RetryBudget
from proxy.retry.retrying import retry
from proxy.routing.choose import choose
from proxy.routing.failover import failover
from proxy.upstream.attempt import attempts
from proxy.upstream.transport import Transport
from tests.simulation.partner import Partner, Wire
from tests.simulation.store import Disk, SimulatedStore
from tests.simulation.virtual import VirtualLoop
from tests.support.manual_clock import ManualClock
from tests.support.values import TIMEOUTS, candidate, headers, request, route

TIMEOUT_COMMIT_S = 1.0
DEADLINE_S = 30.0
RESEND_S = 3000.0
ABSENT_AFTER_S = 120.0
SEALER = Sealer({"k": b"k" * 32})
RULE = Idempotency(
    key_from=KeyFrom.REQUIRED, header=b"idempotency-key", length_max=64, tenant="default",
    tenant_header=None, group="acme", fields=(), volatile=(), wait_s=5.0,
)  # fmt: skip
OWN = OwnKeys(b"Idempotency-Key", 64, RESEND_S, frozenset({402}))
INQUIRY = Inquiry("/reference", "/p?ref={reference}", "/state", frozenset({"declined"}),
                  frozenset({404}), ABSENT_AFTER_S)  # fmt: skip

_IN_VAIN = frozenset((
    "settled cannot follow settled", "in_doubt cannot follow settled",
    "released cannot follow released",
))  # fmt: skip


def payments(*, own_keys: bool, inquiries: bool) -> Route:
    """One route to two endpoints of one partner, two attempts at each."""
    keys = OWN if own_keys else OwnKeys()
    rule = SettleRule(INQUIRY, resend_when_absent=own_keys) if inquiries else NO_RULE
    timeouts = replace(TIMEOUTS, first_byte_s=10.0)
    at = [replace(candidate(name), own_keys=keys, settle=rule, timeouts=timeouts) for name in "ab"]
    return replace(route(*at, deadline_s=DEADLINE_S, retry=Retry(2, 0.05, 0.5)), idempotency=RULE)


@dataclass(eq=False, slots=True, repr=False)
class Asked:
    """One call of an application, and what became of it."""

    key: str
    amount: int
    call: Call
    task: asyncio.Task[Response]
    left: bool = False
    """The caller hung up, or its sidecar died: whatever comes, nobody hears it."""
    heard: bool = False

    @property
    def waits(self) -> bool:
        """Somebody still wants the reply."""
        return not (self.left or self.task.done())

    def __repr__(self) -> str:
        return f"a payment of {self.amount} under {self.key}"


class Life:
    """One process; `owner` names it in the journal."""

    def __init__(
        self, owner: str, clock: ManualClock, disk: Disk, partner: Partner, taken: Route,
        drained: set[str], *, shared: bool,
    ) -> None:  # fmt: skip
        self.owner = owner
        self.clock = clock
        self.partner = partner
        self.route = taken
        self._drained = drained
        self.loop = VirtualLoop(clock)
        self.store = SimulatedStore(disk, self.loop, owner, shared=shared)
        self.bugs: list[str] = []
        self.journal = Journal(self.store, self.loop, TIMEOUT_COMMIT_S, self._note)
        self.claims = Claims(self.journal, SEALER, b"s" * 32, owner, clock)
        self._identities = Identities(owner.encode())
        self.reply = self._stack()
        self.settler = self._settler()

    def _note(self, error: Exception) -> None:
        """An ending that was stored unheard, or that another came before, is offered in vain."""
        if not (isinstance(error, Superseded) or str(error) in _IN_VAIN):
            self.bugs.append(f"{type(error).__name__}: {error}")

    def _emit(self, event: Event) -> None:
        if isinstance(event, LateEnding):
            self.claims.late(event)
        if isinstance(event, Bug):
            self.bugs.append(f"{event.kind} at {event.where}")

    def _stack(self) -> Replier:
        clock = self.clock
        budget = RetryBudget(0.2, 10.0, 1000, clock.now)
        wires = {name: Transport(Wire(self.partner, name, self.loop).as_pool()) for name in "ab"}
        below = stack(
            retry(budget, clock, asyncio.sleep, random.Random(1)),
            fence(self.journal, clock.now),
            innermost=attempts(wires, clock, self._identities.span_id, self._emit),
        )
        return rescue(
            stack(
                observe(clock, self._emit),
                choose(self._choice),
                self.claims.layer(),
                deadline(clock),
                innermost=failover(below, clock, self._choice),
            )
        )

    def _choice(self, _: Call) -> tuple[Candidate, ...]:
        """Where new payments may go, as operators say."""
        candidates = self.route.candidates
        if not self._drained:
            return candidates
        return tuple(each for each in candidates if each.upstream.name not in self._drained)

    def _settler(self) -> Settler:
        rules = {
            (each.upstream.name, self.route.operation): each.settle
            for each in self.route.candidates
        }

        async def ask(upstream: str, question: Question) -> Outcome:
            await asyncio.sleep(0.001)
            reference = question.target.partition(b"=")[2].decode()
            return self.partner.inquire(upstream, reference)

        return Settler(
            self.journal, SEALER, rules, ask, self.clock, random.Random(1), attempts_max=1000,
            emit=self._emit,
        )  # fmt: skip

    def ask(self, key: str, amount: int) -> Asked:
        """A payment begins; its reference at the partner is its key."""
        body = json.dumps({"reference": key, "amount": amount}).encode()
        fields = headers(("Idempotency-Key", key))
        asked = request(fields=fields, body=body, arrived_at=self.clock.now())
        made = Call(asked, self._identities.call_id(), asked.arrived_at, {})
        made.route, made.trace_id, made.span_id = self.route, b"a" * 32, b"b" * 16
        return Asked(key, amount, made, asyncio.ensure_future(self.reply(made), loop=self.loop))

    def settle_all(self) -> None:
        """Ask the partner about all that is in doubt."""
        self.journal.own(self.settler.settle_all())

    def end(self) -> None:
        """Give the loop back; what it still does reaches no disk."""
        self.store.dead = True
        self.loop.end()
