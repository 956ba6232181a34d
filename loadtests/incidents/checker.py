"""The application's history against the partners' ledgers. PURE.

A ledger row is a fact: it was synced before the partner answered. A record of
the history is what the application was told. Whatever the proxy claims is
held against the rows:

    dup         executions beyond one per payment, over all partners together
    mixed       answers that belong to another call, or bytes that belong to none
    lied none   told that nothing was executed, and a row exists
    lied done   told that it succeeded, and no row exists
    lost        executed, and the application was not told a thing or was lied to
    stray       rows that no call of the history explains
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from loadtests.incidents.history import CallRecord, History


@dataclass(frozen=True, slots=True)
class Execution:
    """One row of a partner's ledger: it executed this."""

    partner: str
    operation: str
    reference: str
    nonce: str
    amount: int


@dataclass(frozen=True, slots=True)
class Findings:
    """What the comparison found; every figure but the last two must be 0."""

    dup: int
    mixed: int
    lied_none: int
    lied_done: int
    lost: int
    stray: int
    calls: int
    executions: int

    @property
    def clean(self) -> bool:
        """Nothing charged twice, nothing lost, nothing mixed, no lie."""
        return not any(
            (self.dup, self.mixed, self.lied_none, self.lied_done, self.lost, self.stray)
        )


PaymentOf = Callable[[Execution], str]


def by_reference(execution: Execution) -> str:
    """A payment is what its reference names; for runs in which each reference is paid once."""
    return f"{execution.operation}/{execution.reference}"


def by_nonce(execution: Execution) -> str:
    """A payment is one call; for runs whose arms use the same references on purpose."""
    return f"{execution.operation}/{execution.nonce}"


def check(
    history: History,
    executions: Iterable[Execution],
    payment_of: PaymentOf = by_reference,
) -> Findings:
    """Compare a whole run's history with all its partners' ledgers."""
    rows = list(executions)
    executed = {row.nonce for row in rows}
    payments = Counter(map(payment_of, rows))
    known = {record.nonce for record in history.records}
    lied_none = history.count(lambda r: r.execution == "none" and r.nonce in executed)
    untold = history.count(lambda r: r.status == 0 and r.nonce in executed)
    return Findings(
        dup=sum(count - 1 for count in payments.values()),
        mixed=history.count(_is_mixed),
        lied_none=lied_none,
        lied_done=history.count(lambda r: r.succeeded and r.nonce not in executed),
        lost=lied_none + untold,
        stray=sum(row.nonce not in known for row in rows),
        calls=len(history),
        executions=len(rows),
    )


def _is_mixed(record: CallRecord) -> bool:
    """An answer of a partner always echoes the nonce; a reply of the proxy carries none."""
    if record.error in ("stray_bytes", "malformed_answer"):
        return True
    if record.outcome == "answered":
        return record.echoed_nonce != record.nonce
    return record.echoed_nonce not in ("", record.nonce)
