"""Rules for settling that hold however requests are lost, late and out of order; seeded."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest

from proxy.idempotency.claim import Claims
from proxy.idempotency.fence import fence
from proxy.idempotency.journal import Journal
from proxy.idempotency.seal import Sealer
from proxy.idempotency.settle import Settler
from proxy.model.call import Attempt, Call
from proxy.model.events import LateEnding
from proxy.model.message import Response
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome
from proxy.model.phase import Phase
from proxy.model.route import Candidate, OwnKeys
from proxy.model.settling import Question, SettleRule
from proxy.pipeline.layer import stack
from proxy.routing.failover import failover
from tests.support.manual_clock import ManualClock
from tests.support.values import call, candidate, headers, request, response, route
from tests.unit.idempotency.stores import MemoryStore
from tests.unit.idempotency.values import INQUIRY, KEYED, REVERSAL

pytestmark = pytest.mark.no_cover  # volume: see CONTRIBUTING.md

LOST = InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER)
DELAY_MAX_S = 55.0
"""Less than `absent_after`, which is what the configuration promises."""
STORM_S, CALM_S = 600, 400
KEYS = tuple(f"k{number}" for number in range(5))


@dataclass
class Charge:
    """What the partner did."""

    id: int
    reference: str
    voided: bool = False


class Partner:
    """Executes what arrives, whenever it arrives; `own_keys`: once for each key."""

    def __init__(self, clock: ManualClock, rng: random.Random, *, own_keys: bool) -> None:
        self.charges: list[Charge] = []
        self.storm = True
        self._clock = clock
        self._rng = rng
        self._own_keys = own_keys
        self._known: dict[str, tuple[int, bytes]] = {}
        self._travelling: list[tuple[float, Callable[[], object]]] = []

    def deliver(self) -> None:
        """Whatever has arrived by now."""
        now = self._clock.now()
        due = sorted((at, n) for n, (at, _) in enumerate(self._travelling) if at <= now)
        works = [self._travelling[n][1] for _, n in due]
        self._travelling = [each for each in self._travelling if each[0] > now]
        for work in works:
            work()

    def send(self, work: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes] | None:
        """A request: what is heard of it, if anything, now."""
        luck = self._rng.random() if self.storm else 1.0
        if luck < 0.2:
            return None
        if luck < 0.6:
            at = self._clock.now() + self._rng.uniform(0.0, DELAY_MAX_S)
            self._travelling.append((at, work))
            return None
        answer = work()
        return None if luck < 0.8 else answer

    def once(self, key: str, work: Callable[[], tuple[int, bytes]]) -> tuple[int, bytes]:
        """The partner's own idempotency."""
        if not self._own_keys:
            return work()
        if key not in self._known:
            self._known[key] = work()
        return self._known[key]

    def charge(self, reference: str) -> tuple[int, bytes]:
        """One more."""
        self.charges.append(Charge(len(self.charges), reference))
        return 201, json.dumps({"id": len(self.charges) - 1}).encode()

    def void(self, reference: str) -> tuple[int, bytes]:
        """The newest that stands."""
        found = [charge for charge in self.charges if charge.reference == reference]
        standing = [charge for charge in found if not charge.voided]
        if standing:
            standing[-1].voided = True
        return (200 if found else 404), b"{}"

    def search(self, reference: str) -> tuple[int, bytes]:
        """The newest one."""
        found = [charge for charge in self.charges if charge.reference == reference]
        return 200, json.dumps({"payments": [{"state": each.id} for each in found[-1:]]}).encode()


class World:
    """A sidecar that restarts, a partner, and an application that retries."""

    def __init__(self, seed: int, rule: SettleRule, *, own_keys: bool, resend_s: float) -> None:
        self.rng = random.Random(seed)
        self.clock = ManualClock()
        self.partner = Partner(self.clock, self.rng, own_keys=own_keys)
        self.store = MemoryStore(self.clock)
        self.told: dict[str, set[int]] = {key: set() for key in KEYS}
        self.bugs: list[Exception] = []
        self._rule = rule
        keys = OwnKeys(b"Idempotency-Key", 64, resend_s) if own_keys else OwnKeys()
        there = replace(candidate("a"), own_keys=keys, settle=rule)
        self._route = route(there, idempotency=replace(KEYED, wait_s=0.0))
        self.start()

    def start(self) -> None:
        """A run of the sidecar; the one before is dead."""
        loop = asyncio.get_running_loop()
        self.journal = Journal(self.store, loop, 1.0, self.bugs.append)
        sealer = Sealer({"k": b"k" * 32})
        self.claims = Claims(self.journal, sealer, b"s" * 32, "me", self.clock)
        below = fence(self.journal, self.clock.now)(self._attempt)
        self._handle = stack(self.claims.layer(), innermost=failover(below, self.clock))
        self.settler = Settler(
            self.journal, sealer, {("a", "authorize"): self._rule}, self._ask, self.clock,
            self.rng, attempts_max=100_000, emit=lambda _: None,
        )  # fmt: skip

    async def _attempt(self, made: Call, at: Candidate) -> Outcome:
        assert made.ticket is not None
        record = Attempt(
            number=1, candidate=at, begun_at=self.clock.now(), sent_at=self.clock.now()
        )
        made.attempts.append(record)
        reference, key = json.loads(made.request.body)["reference"], made.ticket.partner_key
        claims = self.claims

        def arrive() -> tuple[int, bytes]:
            status, body = self.partner.once(key, lambda: self.partner.charge(reference))
            if record.outcome is LOST and self.rng.random() < 0.5:
                record.late = Response(status, [], body)
                record.late_outcome = Answered("acme", "a", record.late, Execution.DONE)
                claims.late(LateEnding(made, record))
            return status, body

        heard = self.partner.send(arrive)
        record.outcome = LOST if heard is None else _answered(*heard)
        return record.outcome

    async def _ask(self, _: str, asked: Question) -> Outcome:
        reference = asked.target.partition(b"ref=")[2].decode()
        key = dict(asked.headers).get(b"Idempotency-Key", b"").decode()
        if asked.method == b"GET":
            heard = self.partner.send(lambda: self.partner.search(reference))
        elif key:
            heard = self.partner.send(
                lambda: self.partner.once(key, lambda: self.partner.void(reference))
            )
        else:
            heard = self.partner.send(lambda: self.partner.void(reference))
        return LOST if heard is None else _answered(*heard)

    async def pay(self, key: str) -> None:
        """The application asks for its payment, again if need be."""
        body = json.dumps({"reference": key}).encode()
        fields = headers(("Idempotency-Key", key))
        asked = request(fields=fields, body=body, arrived_at=self.clock.now())
        outcome = await self._handle(call(asked, self._route))
        if isinstance(outcome, Answered) and outcome.execution is Execution.DONE:
            said = json.loads(outcome.response.body)
            found = said["payments"][0]["state"] if "payments" in said else said["id"]
            self.told[key].add(int(found))

    async def live(self) -> None:
        """A storm, and then a calm in which everything comes to an end."""
        for second in range(STORM_S + CALM_S):
            self.partner.storm = second < STORM_S
            self.partner.deliver()
            if self.partner.storm and self.rng.random() < 0.01:
                self.start()
            await self.settler.settle_all()
            for key in KEYS:
                if not self.told[key] and self.rng.random() < 0.1:
                    await self.pay(key)
            for _ in range(3):
                await asyncio.sleep(0)
            self.clock.advance(1.0)

    def verdict(self) -> list[str]:
        """Whatever must not be."""
        wrong = [f"bug: {error}" for error in self.bugs]
        for key in KEYS:
            standing = {each.id for each in self.partner.charges if _stands(each, key)}
            if len(standing) > 1:
                wrong.append(f"{key} was charged {len(standing)} times")
            if self.told[key] != standing:
                wrong.append(f"{key}: told {self.told[key]}, stands {standing}")
        return wrong


def _stands(charge: Charge, key: str) -> bool:
    return charge.reference == key and not charge.voided


def _answered(status: int, body: bytes) -> Answered:
    return Answered("acme", "a", response(status, (), body), Execution.DONE)


RULES = {
    "reverse": (SettleRule(reversal=REVERSAL), False, 0.0),
    "reverse with own keys": (
        SettleRule(reversal=replace(REVERSAL, key_header=b"Idempotency-Key")), True, 0.0,
    ),
    "inquire": (SettleRule(INQUIRY), False, 0.0),
    "inquire then resend": (SettleRule(INQUIRY, resend_when_absent=True), True, 3600.0),
    "whatever is allowed": (SettleRule(INQUIRY), True, 3600.0),
}  # fmt: skip


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("name", RULES)
async def test_one_charge_stands_and_it_is_the_one_that_was_told(name: str, seed: int) -> None:
    """However requests, reversals and answers are lost, late and out of order, over restarts: in
    the end each payment was charged once net, and no undone one was ever called a success.
    """
    rule, own_keys, resend_s = RULES[name]
    world = World(seed, rule, own_keys=own_keys, resend_s=resend_s)
    await world.live()
    assert world.verdict() == []
