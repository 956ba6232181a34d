"""What must hold of every history, told from the ledger and the disk alone.

I1  the ledger has at most one charge for a key
I2  an answer that was given for a key is given byte for byte ever after
I3  no caller gets the answer of another key, or of another payment
I4  an answer is on the disk before anybody hears of it
I5  nothing is sent again unless what was sent before is proven not executed, or
    the partner itself knows the key
I6  what may have been executed is visible: sending, in doubt or settled
I7  `execution none` is said only where nothing was executed, nor can be
"""

from __future__ import annotations

import json

from proxy.idempotency.record import Record, State, check
from proxy.idempotency.seal import unpack
from proxy.model.message import Header, Response
from tests.simulation.life import SEALER, Asked
from tests.simulation.partner import WINDOW_S, Flight, Partner
from tests.simulation.store import Disk

_VISIBLE = frozenset((State.SENDING, State.IN_DOUBT, State.SETTLED))


class Broken(AssertionError):
    """A rule was broken; the message names it."""


def broken(rule: str, key: str, what: object) -> Broken:
    """The error that says it."""
    return Broken(f"{rule}, key {key}: {what}")


class Judge:
    """Sees each flight leave and each reply come, and looks at the disk after each event."""

    def __init__(self, partner: Partner, disk: Disk) -> None:
        self._partner = partner
        self._disk = disk
        self.answers: dict[str, tuple[int, list[Header], bytes]] = {}
        """The answer that stands, by key, as the first caller heard it."""
        self._seen: list[Broken] = []

    def row(self, key: str) -> Record | None:
        """The durable row of a key."""
        return next((row for row in self._disk.rows.values() if row.scope.key == key), None)

    # -- as it leaves, as it is heard -----------------------------------------------------

    def leaves(self, flight: Flight) -> None:
        """I5, and I6 at the instant of sending: the fence is durable. Told when the judge looks
        next, since the layers that call this take an exception for a bug of theirs.
        """
        try:
            self._may_leave(flight)
        except Broken as error:
            self._seen.append(error)

    def _may_leave(self, flight: Flight) -> None:
        self._visible(flight.key)
        for before in self._partner.flights:
            if before.key != flight.key or (before.over and not before.executed):
                continue
            known = self._partner.own_keys and (before.upstream, before.partner_key) == (
                flight.upstream, flight.partner_key,
            )  # fmt: skip
            if not known or flight.sent_at - before.sent_at > WINDOW_S:
                raise broken("I5", flight.key, "sent again without proof")

    def hears(self, asked: Asked, reply: Response) -> None:
        """I2, I3, I4, I7 of one reply."""
        labels = dict(line.split(": ", 1) for line in reply.labels.decode().lower().splitlines())
        execution = labels["tidegate-execution"]
        if execution == "none" and any(
            flight.executed or not flight.over
            for flight in self._partner.flights
            if flight.key == asked.key
        ):
            raise broken("I7", asked.key, f"{reply.status} says none: {reply.body!r}")
        if labels["tidegate-outcome"] != "answered":
            return
        said = json.loads(reply.body)
        if said.get("key", asked.key) != asked.key:
            raise broken("I3", asked.key, f"the answer of {said['key']}")
        if execution != "done":
            return
        if said["amount"] != asked.amount:
            raise broken("I3", asked.key, f"the answer of a payment of {said['amount']}")
        self._stands(asked.key, (reply.status, reply.headers, reply.body))

    def _stands(self, key: str, answer: tuple[int, list[Header], bytes]) -> None:
        if self.answers.setdefault(key, answer) != answer:
            raise broken("I2", key, f"{answer} after {self.answers[key]}")
        row = self.row(key)
        if row is None or row.state is not State.SETTLED or not row.answer:
            raise broken("I4", key, "an answer was told that is not on the disk")
        stored = unpack(SEALER.open(row.id, row.answer))
        if (stored.status, stored.headers, stored.body) != answer:
            raise broken("I2", key, "another answer is on the disk")

    # -- after each event -----------------------------------------------------------------

    def looks(self) -> None:
        """I1, I6, and I4 of all that was told; each row can be."""
        if self._seen:
            raise self._seen[0]
        charged = [entry.key for entry in self._partner.ledger if entry.charged]
        for key in set(charged):
            if charged.count(key) > 1:
                raise broken("I1", key, f"charged {charged.count(key)} times")
        for flight in self._partner.flights:
            if flight.executed or not flight.over:
                self._visible(flight.key)
        for key, answer in self.answers.items():
            self._stands(key, answer)
        for row in self._disk.rows.values():
            check(row)

    def _visible(self, key: str) -> None:
        row = self.row(key)
        if row is None or row.state not in _VISIBLE:
            said = "no row" if row is None else row.state.value
            raise broken("I6", key, f"may have been executed, and the journal has {said}")
