"""PURE. Every change that a row of the journal may go through; the essay is in record.py.

What decides is in one table, which state may follow which, and in what must
hold for the few steps that could send money twice. A step that is not in them
raises: a bug must stop a charge, not make one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from operator import attrgetter
from typing import Any

from proxy.idempotency.keys import next_partner_key
from proxy.idempotency.record import (
    Claim,
    ClaimLost,
    Doubt,
    Fence,
    Instant,
    JournalError,
    Record,
    Release,
    Settle,
    State,
    Step,
    Superseded,
    Verdict,
    check,
)
from proxy.idempotency.settling import PROVEN_LATER, SENT_BEFORE, Mark, Reverse, Settling

MAY_FOLLOW: Mapping[State | None, frozenset[State]] = {
    None: frozenset((State.CLAIMED,)),
    State.CLAIMED: frozenset((State.SENDING, State.RELEASED)),
    State.SENDING: frozenset((State.SENDING, State.SETTLED, State.IN_DOUBT, State.RELEASED)),
    State.IN_DOUBT: frozenset((State.SENDING, State.SETTLED, State.IN_DOUBT, State.RELEASED)),
    State.RELEASED: frozenset((State.CLAIMED,)),
    State.SETTLED: frozenset(),
}
_REVERSING = frozenset((Settling.REVERSING, Settling.UNREVERSED))
_MARKS: Mapping[str, frozenset[Settling]] = {
    Settling.NOTHING: frozenset((Settling.ABSENT, Settling.GAVE_UP)),
    Settling.ABSENT: frozenset((Settling.GAVE_UP,)),
    Settling.GAVE_UP: frozenset(),
    Settling.REVERSING: frozenset((Settling.UNREVERSED,)),
    Settling.UNREVERSED: frozenset(),
}

_DECLINED = 400
_ALL = attrgetter(*(each.name for each in fields(Record)))
"""For a copy of a row; copy() takes three times as long, on the thread that writes."""


def claim(row: Record | None, wanted: Claim, now: Instant) -> tuple[Verdict, Record]:
    """The verdict on a claim, and the row as it is from then on. Raises JournalError."""
    if row is None:
        return Verdict.RUN, _begun(_claimed(wanted, 1 + wanted.salt, now), wanted.fence, now)
    check(row)
    if row.scope != wanted.scope:
        raise JournalError(f"two scopes share the row {row.id.hex()}")
    if row.state is State.RELEASED:
        again = _claimed(wanted, row.token + 1 + wanted.salt, now)
        again.blocked, again.blocked_at = row.blocked, row.blocked_at
        again.attempt = row.attempt  # so that it shows that this is not the key's first run
        again.partner_key = row.partner_key
        again.note = SENT_BEFORE + row.reason if row.reason in PROVEN_LATER else row.note
        return Verdict.RUN, _begun(again, wanted.fence, now)
    if row.fingerprint != wanted.fingerprint:
        return Verdict.MISMATCH, row
    if row.state is State.SETTLED:
        return Verdict.REPLAY, row
    if row.state is not State.IN_DOUBT:
        return Verdict.BUSY, row
    if not _resendable(row, wanted, now):
        return Verdict.IN_DOUBT, row
    return Verdict.RESEND, replace(
        row, token=row.token + 1 + wanted.salt, owner=wanted.owner, call=wanted.call,
        changed_at=now.wall, changed_kept=now.kept, settling="", note="",
    )  # fmt: skip


def step(row: Record | None, token: int, made: Step, now: Instant) -> Record:
    """The row after a step of the run that holds `token`. Raises Superseded, JournalError."""
    if row is None:
        raise ClaimLost("a step for a key that is not in the journal")
    check(row)
    if row.token != token:
        raise Superseded(f"token {token} was taken over by {row.token}")
    match made:
        case Fence():
            after = _fence(row, made, now)
        case Settle():
            after = _settle(row, made, now)
        case Doubt():
            after = _to(
                State.IN_DOUBT, row, now, execution="unknown", status=made.status,
                reason=made.reason, answer=made.answer,
                doubts=row.doubts + (row.state is State.SENDING),
            )  # fmt: skip
        case Release():
            after = _release(row, made, now)
        case Reverse():
            after = _reverse(row, now)
        case Mark():
            after = _mark(row, made)
    check(after)
    return after


def after_crash(row: Record, now: Instant) -> Record:
    """What a row of a run that has died means: not fenced is not sent, fenced is in doubt."""
    if row.state is State.CLAIMED:
        return step(row, row.token, Release("crashed"), now)
    if row.state is State.SENDING:
        return step(row, row.token, Doubt("crashed"), now)
    return row


def taken_over(row: Record, owner: str, salt: int, now: Instant) -> Record:
    """The row of a run that has died, in the hands of `owner`.

    The token is raised where the dead run had more to do: should it be alive after
    all, its next step is Superseded. What it learns of an attempt that was sent
    is still news (see journal.py).
    """
    at_work = row.state in (State.CLAIMED, State.SENDING)
    after = Record(*_ALL(after_crash(row, now)))
    after.owner = owner
    after.token += (1 + salt) if at_work else 0
    return after


def _claimed(wanted: Claim, token: int, now: Instant) -> Record:
    return Record(
        id=wanted.id, scope=wanted.scope, fingerprint=wanted.fingerprint, state=State.CLAIMED,
        token=token, owner=wanted.owner, call=wanted.call, claimed_at=now.wall,
        changed_at=now.wall, changed_kept=now.kept, reference=wanted.reference,
        link_request=wanted.link,
    )  # fmt: skip


def _begun(row: Record, first: Fence | None, now: Instant) -> Record:
    """A row just claimed, with its first attempt."""
    if first is None:
        return row
    key = (row.partner_key or first.partner_key)[: len(first.partner_key)]
    made = Fence(row.attempt + 1, first.partner, first.upstream, key, first.send_by)
    after = _fence(row, made, now)
    check(after)
    return after


def _resendable(row: Record, wanted: Claim, now: Instant) -> bool:
    """Whether the partner itself makes sure that a repeated key executes once, by both clocks."""
    if row.settling in _REVERSING:
        return False
    if row.upstream in wanted.after_absence and row.settling != Settling.ABSENT:
        return False
    within_s = wanted.resend_s.get(row.upstream, 0.0)
    return (
        row.partner_key != ""
        and 0.0 <= now.wall - row.sent_at < within_s
        and now.kept - row.sent_kept
        < within_s  # below zero after a crash: it is saved now and then
    )


def _fence(row: Record, made: Fence, now: Instant) -> Record:
    elsewhere = made.upstream != row.upstream and row.upstream not in made.same_endpoint
    if row.doubts and (elsewhere or made.partner_key != row.partner_key):
        raise JournalError("what is in doubt must not be sent elsewhere or under another key")
    if row.settling in _REVERSING:
        raise JournalError("what is being reversed must not be sent again")
    if made.attempt <= row.attempt:
        raise JournalError("an attempt was fenced twice")
    again = row.doubts > 0
    return _to(
        State.SENDING, row, now, execution="unknown", attempt=made.attempt,
        partner=made.partner, upstream=made.upstream, partner_key=made.partner_key,
        send_by=made.send_by, sent_at=row.sent_at if again else now.wall,
        sent_kept=row.sent_kept if again else now.kept,
    )  # fmt: skip


def _settle(row: Record, made: Settle, now: Instant) -> Record:
    if row.settling in _REVERSING and not made.by_operator:
        raise Superseded("a reversal was begun: no answer to the call is a success any more")
    declined = made.reason == "answered" and made.status >= _DECLINED  # there is no payment
    return _to(
        State.SETTLED, row, now, execution="done", status=made.status, reason=made.reason,
        answer=made.answer, note=made.note, settling="", token=_after_news(row),
        link_request=b"" if declined else row.link_request, link_answer=made.link,
    )  # fmt: skip


def _reverse(row: Record, now: Instant) -> Record:
    return _to(
        State.IN_DOUBT, row, now, token=row.token + 1, note="", settling=Settling.REVERSING.value
    )


def _mark(row: Record, made: Mark) -> Record:
    """The row keeps its time: a remark is no news about the call."""
    if row.state is not State.IN_DOUBT or made.settling not in _MARKS[row.settling]:
        raise JournalError(f"{made.settling} cannot follow {row.settling or row.state}")
    return replace(row, settling=made.settling.value, note=made.note)


def _release(row: Record, made: Release, now: Instant) -> Record:
    if row.doubts and not made.of_all:
        raise JournalError("the failure of one attempt does not free a key with another in doubt")
    key = row.partner_key
    if row.settling in _REVERSING and not made.keeps_key:
        key = next_partner_key(key)
    return _to(
        State.RELEASED, row, now, execution="none", reason=made.reason,
        note=made.note or row.note, status=0, answer=b"", sent_at=0.0, sent_kept=0.0, doubts=0,
        settling="", partner_key=key, token=_after_news(row), link_request=b"", link_answer=b"",
    )  # fmt: skip


def _after_news(row: Record) -> int:
    """A doubt ends by news from outside, maybe while a repetition has claimed the row and not
    sent yet: with a new token that one is superseded.
    """
    return row.token + (row.state is State.IN_DOUBT)


def _to(state: State, row: Record, now: Instant, **changes: Any) -> Record:
    """The row in another state, and with these changes. Raises JournalError."""
    if state not in MAY_FOLLOW[row.state]:
        raise JournalError(f"{state} cannot follow {row.state}")
    after = Record(*_ALL(row))
    after.state, after.changed_at, after.changed_kept = state, now.wall, now.kept
    for name, value in changes.items():
        setattr(after, name, value)
    return after
