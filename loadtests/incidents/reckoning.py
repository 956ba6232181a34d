"""Three records of the same payments, held against each other. PURE.

Nobody of the three is believed alone: the callers' history says what they were
told, the partners' ledgers what was executed, the journal what the sidecar
thinks of it. A payment is known by its key, which is its reference at the
partner and its nonce too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields

from loadtests.incidents.checker import Execution
from loadtests.incidents.payments import Payment
from loadtests.incidents.result import Bar
from proxy.idempotency.record import Record, State

DOUBTFUL = (State.CLAIMED, State.SENDING, State.IN_DOUBT)
"""Rows without an end. Nothing can be at work when the journal is read, so all are in doubt."""


@dataclass(frozen=True, slots=True)
class Reckoning:
    """What does not agree; every figure must be 0."""

    dup: int
    """Executions beyond one per key, over all partners together."""
    lost: int
    """Payments told done that a re-read does not answer with the same bytes, or replays not."""
    mixed: int
    """Replies that are about another payment."""
    lied_none: int
    """Told that nothing was executed, and it was."""
    lied_done: int
    """Told that it was executed, and it was not."""
    unlisted: int
    """Executed, and the journal has it neither settled nor in doubt."""
    imagined: int
    """Settled in the journal, and not in any ledger."""
    freed: int
    """Released in the journal as never executed, and in a ledger."""
    stray: int
    """Executions of payments that no caller wanted."""

    @property
    def clean(self) -> bool:
        """All three records agree."""
        return not any(getattr(self, each.name) for each in fields(self))


_NAMES = {
    "dup": "dup",
    "lost": "lost",
    "mixed": "mixed",
    "lied_none": "told none, was executed",
    "lied_done": "told done, was not",
    "unlisted": "executed, neither settled nor in doubt in the journal",
    "imagined": "settled in the journal, never executed",
    "freed": "released in the journal, was executed",
    "stray": "executions nobody asked for",
}


def reckon(
    payments: Sequence[Payment], executions: Iterable[Execution], rows: Iterable[Record]
) -> Reckoning:
    """Compare a whole run's callers with all its ledgers and the journal."""
    executed = Counter(row.reference for row in executions)
    states: dict[str, set[State]] = defaultdict(set)
    for row in rows:
        states[row.scope.key].add(row.state)
    settled = {key for key, found in states.items() if State.SETTLED in found}
    known = {key for key, found in states.items() if found & {State.SETTLED, *DOUBTFUL}}
    released = {key for key, found in states.items() if found == {State.RELEASED}}
    return Reckoning(
        dup=sum(count - 1 for count in executed.values()),
        lost=sum(map(_is_lost, payments)),
        mixed=sum(_is_mixed(payment) for payment in payments),
        lied_none=sum(_told_none(payment) and payment.key in executed for payment in payments),
        lied_done=sum(bool(p.done) and p.key not in executed for p in payments),
        unlisted=len(executed.keys() - known),
        imagined=len(settled - executed.keys()),
        freed=len(released & executed.keys()),
        stray=len(executed.keys() - {payment.key for payment in payments}),
    )


def _told_none(payment: Payment) -> bool:
    return any(reply.status and reply.execution == "none" for reply in payment.told)


def _is_lost(payment: Payment) -> bool:
    """Told done, and the key does not bring the very same answer back out of the journal."""
    if not payment.done:
        return False
    again = payment.reread
    if again is None or not again.replayed or again.execution != "done":
        return True
    return not all(reply.same_answer(again) for reply in payment.done)


def _is_mixed(payment: Payment) -> bool:
    replies = [*payment.told, *([payment.reread] if payment.reread else [])]
    return not all(payment.owns(reply) for reply in replies if reply.outcome == "answered")


def doubts(rows: Iterable[Record], upstream: str) -> list[Record]:
    """The rows of one upstream that have no end."""
    return [row for row in rows if row.upstream == upstream and row.state in DOUBTFUL]


def reckoning_bars(variant: str, found: Reckoning, note: str) -> list[Bar]:
    """The bars of every replay that reads the journal, all of them 0."""
    return [
        Bar(variant, name, getattr(found, member), "=", 0, note=note)
        for member, name in _NAMES.items()
    ]
