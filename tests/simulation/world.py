"""Partner, disk, sidecars and callers in one virtual time, and the judge who sees all of it."""

from __future__ import annotations

import json
from dataclasses import dataclass

from proxy.idempotency import transitions
from proxy.idempotency.record import Release, Settle, State
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from tests.simulation.judge import Broken, Judge
from tests.simulation.life import Asked, Life, payments
from tests.simulation.partner import NETWORK_S, Flight, Partner
from tests.simulation.store import Disk, Weather
from tests.simulation.virtual import NEVER
from tests.support.manual_clock import ManualClock

KEYS = ("k1", "k2")
RESET = Failure(Phase.FIRST_BYTE, "reset", sent=True)


@dataclass(eq=False, slots=True, repr=False)
class Place:
    """Where a sidecar runs, one life after another."""

    number: int
    life: Life | None = None
    frozen: bool = False
    """It is stopped between two instructions, and may go on at any time."""
    lives: int = 0

    def __repr__(self) -> str:
        return f"sidecar {self.owner}"

    @property
    def owner(self) -> str:
        """What its life is called in the journal."""
        return f"{self.number}:{self.lives}"

    def tick(self) -> None:
        """One pass of its loop."""
        assert self.life is not None
        self.life.loop.tick()

    @property
    def running(self) -> bool:
        return self.life is not None and not self.frozen


class World:
    """`pay`, let things go wrong, and `rest`; every broken rule raises."""

    def __init__(self, *, own_keys: bool, inquiries: bool, sidecars: int) -> None:
        self.inquiries = inquiries
        self.clock = ManualClock()
        self.disk = Disk(self.clock, shared=sidecars > 1)
        self.partner = Partner(self.clock, own_keys)
        self.judge = Judge(self.partner, self.disk)
        self.partner.sent = self.judge.leaves
        self.route = payments(own_keys=own_keys, inquiries=inquiries)
        self.drained: set[str] = set()
        """Upstreams that operators let get no new payments; every sidecar is told."""
        self.places = [Place(number) for number in range(sidecars)]
        self.asked: list[Asked] = []
        self.dead: list[Life] = []
        for place in self.places:
            self.start(place)

    # -- sidecars ---------------------------------------------------------------------------

    def start(self, place: Place) -> None:
        """A new life, which looks after what the last one left."""
        before, shared = place.owner, len(self.places) > 1
        place.lives += 1
        if shared:
            self.disk.take_over(before, place.owner, proven=True)
        else:
            self.disk.resume()
        place.life = Life(
            place.owner, self.clock, self.disk, self.partner, self.route, self.drained,
            shared=shared,
        )  # fmt: skip

    def kill(self, place: Place, made: int) -> None:
        """SIGKILL; `made` of the changes that waited had reached the disk."""
        life, place.life, place.frozen = place.life, None, False
        assert life is not None
        life.store.die(made)
        for asked in self.asked:
            asked.left = asked.left or asked.task.get_loop() is life.loop
        self.dead.append(life)

    def take_over(self, place: Place) -> None:
        """The others find that a frozen sidecar's lease is over."""
        for life in self.lives():
            self.disk.take_over(place.owner, life.owner, proven=False)

    def lives(self) -> list[Life]:
        """Those whose loop runs."""
        return [place.life for place in self.places if place.life is not None and place.running]

    # -- calls ------------------------------------------------------------------------------

    def pay(self, place: Place, key: str, amount: int) -> Asked:
        """An application begins a payment."""
        assert place.life is not None
        asked = place.life.ask(key, amount)
        self.asked.append(asked)
        return asked

    def resolve(self, key: str) -> None:
        """An operator asks the partner by telephone, and writes down what is true."""
        row = self.judge.row(key)
        flights = [flight for flight in self.partner.flights if flight.key == key]
        if row is None or row.state is not State.IN_DOUBT or not all(f.over for f in flights):
            return
        done = any(flight.executed for flight in flights)
        made = Settle(0, "resolved", b"", "asked") if done else Release("resolved", of_all=True)
        after = transitions.step(row, row.token, made, self.disk.now())
        self.disk.rows[row.id] = after

    # -- time -------------------------------------------------------------------------------

    def settle(self) -> float:
        """Everything that can happen now happens; when the next timer is due."""
        due_at = min((life.loop.settle() for life in self.lives()), default=NEVER)
        self.look()
        return due_at

    def advance(self, seconds: float) -> None:
        """Let time pass, timer after timer."""
        until = self.clock.now() + seconds
        while True:
            due_at = self.settle()
            step_s = max(0.0, min(due_at, until) - self.clock.now())
            self.clock.advance(step_s)
            if any(place.life is not None for place in self.places):
                self.disk.kept_s += step_s
            self.partner.lose_old()
            if due_at > until:
                break
        self.settle()

    def look(self) -> None:
        """Whoever has a reply hears it, and the judge looks."""
        for asked in self.asked:
            if asked.task.done() and not (asked.heard or asked.left):
                asked.heard = True
                self.judge.hears(asked, asked.task.result())
        self.judge.looks()
        for life in self.lives():
            if life.loop.errors or life.bugs:
                raise Broken(f"bugs: {life.loop.errors} {life.bugs}")

    # -- the end ------------------------------------------------------------------------------

    def come_to_rest(self) -> None:
        """The end of every history: all is well again, and whoever asks is told the truth."""
        self.calm_down()
        for key in KEYS:
            self._is_told_truly(key)

    def calm_down(self) -> None:
        """What stands starts, what flies is lost, what is owed is paid; no key stays taken."""
        for place in self.places:
            place.frozen = False
            if place.life is None:
                self.start(place)
        for life in self.lives():
            life.store.turn(Weather.CALM)
        self.partner.down.clear()
        self.drained.clear()
        self.advance(2 * NETWORK_S)
        for life in self.lives():
            self._is_at_rest(life)

    def _is_at_rest(self, life: Life) -> None:
        if life.journal.owed:
            raise Broken(f"{life.owner} still owes {life.journal.owed} endings")
        for asked in self.asked:
            if asked.task.get_loop() is life.loop and not asked.task.done():
                raise Broken(f"a caller of {asked.key} waits for ever")
        for row in self.disk.rows.values():
            if row.state in (State.CLAIMED, State.SENDING):
                raise Broken(f"key {row.scope.key} stays {row.state.value} for ever")

    def _is_told_truly(self, key: str) -> None:
        """One more caller asks: it hears of the charge, or that nobody knows, or it makes one."""
        charges = [entry for entry in self.partner.ledger if entry.key == key and entry.charged]
        amount = charges[0].amount if charges else 1
        asked = self.pay(self.places[0], key, amount)
        self.advance(0.1)
        for flight in self.partner.open_flights():
            self.partner.execute(flight, charge=True)
            if flight.entry is not None:
                self.partner.answer(flight, flight.entry.answer())
        self.advance(60.0)
        reply = asked.task.result()
        labels = reply.labels.decode()
        if charges and "Execution: none" in labels:
            raise Broken(f"key {key}: charged, and told none")
        if charges and "Outcome: answered" in labels:
            number = json.loads(reply.body)["number"]
            if number != charges[0].number:
                raise Broken(f"key {key}: charge {charges[0].number}, told {number}")

    def end(self) -> None:
        """Give every loop back."""
        for place in self.places:
            if place.life is not None:
                self.dead.append(place.life)
        for life in self.dead:
            life.end()


def answer_of(flight: Flight, status: int) -> Response:
    """A complete answer that is not the result: 429, 500."""
    return Response(status, [], json.dumps({"key": flight.key, "status": status}).encode())
