"""PURE. One key's row in the journal.

A row exists so that a charge is made at most once, whoever dies in between.

    (none) --claim--> claimed --fence--> sending --settle--> settled
                         |                |   ^ |               ^
                         |                |   | +--doubt--> in_doubt
                      release          release +--resend-------+ |
                         v                v                      |
                      released <----------+-------release--------+
                         +--claim--> claimed

    claimed    somebody took the key; nothing can have left, for the fence is
               durable before the first byte (of the first attempt it is mostly
               one commit with the claim, and nobody sees this state)
    sending    bytes may have left towards `upstream`
    in_doubt   they may have been executed, and there is no conclusion
    settled    the answer is here, and is given to whoever asks with this key;
               nothing changes it any more
    released   proven that nothing was executed; the key may be claimed anew

A reversal is written down (`settling`) before it is sent: from then on an answer
to the call, however late, is no success, and nothing is repeated; the
reversal's own end, or an operator, frees the key.

Each claim raises the row's `token`. A step carries the token that it was made
under, so what a run does that another has taken over changes nothing.

There are two clocks. `wall` is for people and for partners' windows. `kept` only
counts the time that a journal was open, so no jump of the wall clock makes a
row look old enough to be purged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from proxy.idempotency.settling import Mark, Reverse, Settling


class State(StrEnum):
    """Where a key stands."""

    CLAIMED = "claimed"
    SENDING = "sending"
    IN_DOUBT = "in_doubt"
    SETTLED = "settled"
    RELEASED = "released"


class JournalError(Exception):
    """A row or a step that must not be: a bug, or a journal that somebody changed by hand."""


class ClaimLost(JournalError):
    """A step for a key that is not in the journal. Where a claim is told before it is durable, the
    commit that it was to share has failed: nothing is left of it, and nothing was sent under it.
    """


class Superseded(Exception):
    """The step belongs to a run that another one has taken over; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Instant:
    """Now: seconds since the Unix epoch, and seconds that the journal has been open."""

    wall: float
    kept: float


@dataclass(frozen=True, slots=True)
class Scope:
    """What a key is unique in."""

    tenant: str
    group: str
    operation: str
    key: str


@dataclass(slots=True)
class Record:
    """One row; instants whose name ends in `_at` are wall time. Changed by `transitions` alone,
    on a copy (a frozen one would cost each step of a payment 15 us).
    """

    id: bytes
    """16 bytes: a digest of the scope."""
    scope: Scope
    fingerprint: bytes
    """32 bytes: a keyed digest of the request."""
    state: State
    token: int
    owner: str
    """The run of a sidecar that holds the key."""
    call: str
    """The call that claimed it last."""
    claimed_at: float
    changed_at: float
    changed_kept: float
    attempt: int = 0
    partner: str = ""
    upstream: str = ""
    partner_key: str = ""
    """What the partner knows the request by; of a released row, the next one."""
    sent_at: float = 0.0
    """When the first attempt that may have been executed was fenced; 0.0 for none."""
    sent_kept: float = 0.0
    doubts: int = 0
    """Attempts under this key of which nobody knows whether they were executed."""
    send_by: float = 0.0
    """After this instant (wall) the attempt that was fenced must not begin to send."""
    status: int = 0
    execution: str = "none"
    """What is proven: none, done or unknown."""
    reason: str = ""
    answer: bytes = b""
    """The sealed answer that stands."""
    note: str = ""
    """An operator's reason, why the settler gave up, or what SENT_BEFORE says."""
    reference: str = ""
    """The application's own reference, by which the partner can be asked."""
    settling: str = ""
    link_request: bytes = b""
    """16 bytes by which later calls of the same payment find this one, from the request; see
    links.py."""
    link_answer: bytes = b""
    """The same from the answer."""
    blocked: int = 0
    """Later calls with this key that were not sent: duplicates. Counted now and then, so a crash
    may lose the last second's."""
    blocked_at: float = 0.0
    """When the last of them came."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody asks for a key."""

    id: bytes
    scope: Scope
    fingerprint: bytes
    owner: str
    call: str
    resend_s: Mapping[str, float] = field(default_factory=dict)
    """By upstream that the call may go to: how long after the first sending a repetition under
    the same key is safe there. Partners do not share keys between their endpoints."""
    reference: str = ""
    salt: int = 0
    """Added to the token, so that no two claims have the same one, not even when the first was
    lost before it was durable."""
    after_absence: frozenset[str] = frozenset()
    """Upstreams where a repetition is safe only after the partner was asked and had nothing."""
    fence: Fence | None = None
    """The first attempt, where it is known already; its number and key are the row's, if any."""
    link: bytes = b""
    """See Record.link_request."""


@dataclass(frozen=True, slots=True)
class Fence:
    """An attempt is about to be sent."""

    attempt: int
    partner: str
    upstream: str
    partner_key: str
    send_by: float
    same_endpoint: frozenset[str] = frozenset()
    """Upstreams that are this one by another way out: what is in doubt there may go here, too."""


@dataclass(frozen=True, slots=True)
class Settle:
    """There is an answer that ends the matter, or an operator's or partner's word that it is."""

    status: int
    reason: str
    answer: bytes
    note: str = ""
    link: bytes = b""
    """See Record.link_answer."""
    by_operator: bool = False
    """Somebody who knows that a reversal was begun says so all the same."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """The attempt ended without conclusion; `answer` is what the partner said, if anything."""

    reason: str
    status: int = 0
    answer: bytes = b""


@dataclass(frozen=True, slots=True)
class Release:
    """It is proven that nothing was executed.

    An attempt that failed proves that for itself alone; `of_all` says that the
    proof (an inquiry, a reversal, an operator) covers every attempt under the key.
    """

    reason: str
    of_all: bool = False
    note: str = ""
    keeps_key: bool = False
    """Although a reversal was begun, nothing can have been undone: see next_partner_key."""


Step = Fence | Settle | Doubt | Release | Reverse | Mark


class Verdict(StrEnum):
    """What a claim comes to."""

    RUN = "run"
    """The key is the caller's: nothing was sent under it, or nothing was executed."""
    RESEND = "resend"
    """The key is the caller's, to repeat the request at the same partner under the same key."""
    REPLAY = "replay"
    MISMATCH = "mismatch"
    BUSY = "busy"
    IN_DOUBT = "in_doubt"


TAKEN = (Verdict.RUN, Verdict.RESEND)
"""The claims by which a row changes."""

_EXECUTION: Mapping[State, frozenset[str]] = {
    State.CLAIMED: frozenset(("none",)),
    State.SENDING: frozenset(("unknown",)),
    State.IN_DOUBT: frozenset(("unknown",)),
    State.SETTLED: frozenset(("done",)),
    State.RELEASED: frozenset(("none",)),
}


_SETTLING = (frozenset(("",)), frozenset(Settling))
"""By whether the row is in doubt."""


def check(row: Record) -> None:
    """Raise JournalError for a row that no chain of steps leads to."""
    sent = row.state in (State.SENDING, State.IN_DOUBT)
    unsent = row.state in (State.CLAIMED, State.RELEASED)
    wrong = (
        len(row.id) != 16
        or len(row.fingerprint) != 32
        or row.token < 1
        or row.execution not in _EXECUTION[row.state]
        or (sent and not (row.partner and row.upstream and row.attempt and row.sent_at > 0.0))
        or (unsent and (row.sent_at != 0.0 or row.doubts != 0 or row.answer != b""))
        or (row.state is State.IN_DOUBT and row.doubts < 1)
        or row.settling not in _SETTLING[row.state is State.IN_DOUBT]
    )
    if wrong:
        raise JournalError(f"the row {row.id.hex()} cannot be: {row.state}, {row.execution}")
