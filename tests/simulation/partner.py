"""A partner with a ledger, and the wire to it, both moved by hand.

What was sent becomes a flight. Whoever drives the test says of each whether it is
executed, what is answered, and when; a flight that nobody executed within
`NETWORK_S` is lost. The ledger is the truth that the journal is judged by.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from proxy.http1.exchange import Exchange, Result
from proxy.http1.pool import Pool
from proxy.model.call import Progress
from proxy.model.message import Failure, Response, header
from proxy.model.outcome import Answered, Execution, Outcome
from proxy.model.phase import Phase
from proxy.model.route import Timeouts
from tests.simulation.virtual import VirtualLoop
from tests.support.manual_clock import ManualClock

NETWORK_S = 60.0
"""A request that has not arrived by then never does."""
WINDOW_S = 3600.0
"""How long the partner remembers keys of its own."""


@dataclass(eq=False, slots=True, repr=False)
class Flight:
    """One request that may have left."""

    upstream: str
    key: str
    amount: int
    partner_key: str
    sent_at: float
    answered: Callable[[Result], None]
    entry: Entry | None = None
    """What it came to at the partner."""
    over: bool = False
    """It cannot be executed any more."""
    told: bool = False
    """The partner's last word on it was given."""

    def __repr__(self) -> str:
        return f"the request under {self.key} to {self.upstream}, sent at {self.sent_at:g}"

    @property
    def executed(self) -> bool:
        return self.entry is not None and self.entry.charged


@dataclass(eq=False, slots=True)
class Entry:
    """What the partner did once: a charge, or a decline."""

    key: str
    amount: int
    number: int
    charged: bool
    made_at: float

    def answer(self) -> Response:
        said = {"key": self.key, "amount": self.amount, "number": self.number}
        fields = [header(b"Content-Type", b"application/json"), header(b"X-Nonce", b"n")]
        status = 201 if self.charged else 402 if self.number else 422
        return Response(status, fields, json.dumps(said).encode())


@dataclass(slots=True)
class Partner:
    """Two endpoints of one partner, each with keys of its own or none."""

    clock: ManualClock
    own_keys: bool
    ledger: list[Entry] = field(default_factory=list)
    flights: list[Flight] = field(default_factory=list)
    down: set[str] = field(default_factory=set)
    sent: Callable[[Flight], None] = lambda _: None
    """Told of each flight as it leaves."""
    _known: dict[tuple[str, str], Entry] = field(default_factory=dict)

    def open_flights(self) -> list[Flight]:
        """Those of which more may come."""
        return [flight for flight in self.flights if not (flight.over and flight.told)]

    def execute(self, flight: Flight, *, charge: bool) -> None:
        """It arrives, and comes to a charge or a decline, or to what its key came to before."""
        if flight.over:
            return
        flight.over = True
        at = (flight.upstream, flight.partner_key)
        known = self._known.get(at) if self.own_keys else None
        if known is None or self.clock.now() - known.made_at > WINDOW_S:
            number = len(self.ledger) + 1
            known = Entry(flight.key, flight.amount, number, charge, self.clock.now())
            self.ledger.append(known)
            self._known[at] = known
        elif known.amount != flight.amount:  # another request under a key that it knows
            known = Entry(flight.key, flight.amount, 0, False, self.clock.now())
        flight.entry = known

    def answer(self, flight: Flight, result: Result) -> None:
        """The last word on a flight reaches whoever waits for it."""
        if not flight.told:
            flight.told = True
            flight.answered(result)

    def lose_old(self) -> None:
        """What has been in the network for too long is gone, and so is any answer to it."""
        for flight in self.flights:
            if self.clock.now() - flight.sent_at > NETWORK_S:
                flight.over = flight.told = True

    def inquire(self, upstream: str, reference: str) -> Outcome:
        """What the ledger has under a reference."""
        found = [entry for entry in self.ledger if entry.key == reference]
        if not found:
            return Answered("acme", upstream, Response(404, [], b"{}"), Execution.DONE)
        answer = found[-1].answer()
        state = "charged" if found[-1].charged else "declined"
        body = json.dumps({**json.loads(answer.body), "state": state}).encode()
        return Answered("acme", upstream, Response(200, answer.headers, body), Execution.DONE)


class Wire:
    """The pool of one upstream in one sidecar, in place of the real one."""

    busy = True
    """So that calls take turns, as they do where there are many."""

    def __init__(self, partner: Partner, upstream: str, loop: VirtualLoop) -> None:
        self._partner = partner
        self._upstream = upstream
        self._loop = loop

    def as_pool(self) -> Pool:
        """Itself, for those who ask for the real one."""
        return cast(Pool, self)

    def take(self) -> None:
        """No connection is kept."""

    async def open(
        self, progress: Progress, timeouts: Timeouts, deadline_at: float
    ) -> Wire | Failure:
        """A connection, or the proof that nothing was sent."""
        await asyncio.sleep(0.001)
        if self._upstream in self._partner.down:
            return Failure(Phase.CONNECT, "refused", sent=False)
        progress.queued_at = progress.connected_at = self._loop.time()
        return self

    def exchange(self, payload: bytes, exchange: Exchange) -> asyncio.Future[Result]:
        """As `ClientConnection.exchange`: the deadline, the instant of sending, the late answer."""
        answer: asyncio.Future[Result] = self._loop.create_future()
        now = self._loop.time()
        if now >= min(exchange.deadline_at, exchange.send_by):
            answer.set_result(Failure(Phase.SEND, "deadline", sent=False))
            return answer
        exchange.progress.sent_at = now

        def timed_out(reason: str) -> None:
            if not answer.done():
                answer.set_result(Failure(Phase.FIRST_BYTE, reason, sent=True))

        def answered(result: Result) -> None:
            self._loop.call_soon(arrived, result)

        def arrived(result: Result) -> None:
            if answer.done():
                exchange.late(result)
            else:
                answer.set_result(result)

        self._loop.call_at(exchange.deadline_at, timed_out, "deadline")
        self._loop.call_later(exchange.timeouts.first_byte_s, timed_out, "timeout")
        self._fly(payload, answered)
        return answer

    def _fly(self, payload: bytes, answered: Callable[[Result], None]) -> None:
        head, _, body = payload.partition(b"\r\n\r\n")
        names = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:])
        said = json.loads(body)
        flight = Flight(
            self._upstream, said["reference"], said["amount"],
            names[b"idempotency-key"].decode(), self._loop.time(), answered,
        )  # fmt: skip
        self._partner.sent(flight)
        self._partner.flights.append(flight)
