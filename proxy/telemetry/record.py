"""PURE. The light record of a call that is traced: numbers, identifiers and our own words.

It is taken while the call's objects are at hand and holds none of them, since
bodies hang on those. Nothing of a request's path, query, headers or body is
copied, so whatever is made of a record has no card data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from proxy.model.call import Attempt, Call
from proxy.model.outcome import Answered, Execution, InDoubt, Outcome, Refused, Unsent
from proxy.model.route import Route, Upstream

KINDS = {Answered: "answered", Refused: "refused", Unsent: "unsent", InDoubt: "in_doubt"}
_FAILED = (Unsent, InDoubt)
Trace = tuple[bytes, bytes]
"""Trace and span, in hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Ending:
    """An outcome without its answer."""

    kind: str
    execution: Execution
    reason: str
    origin: str
    phase: str
    partner: str
    upstream: str
    status: int
    """The partner's; 0 without an answer."""
    replayed: bool = False
    settled_by: str = ""


@dataclass(frozen=True, slots=True)
class AttemptRecord:
    """One attempt; instants are monotonic, 0.0 means not reached."""

    number: int
    span_id: bytes
    upstream: Upstream
    began_at: float
    ended_at: float
    reached: tuple[tuple[str, float], ...]
    """Phases that ended, and when; see `PHASES`."""
    reused: bool
    ending: Ending


@dataclass(frozen=True, slots=True)
class CallRecord:
    """One call with its attempts."""

    id: str
    trace_id: bytes
    parent_id: bytes
    """The application's span; empty where it has none."""
    flags: bytes
    span_id: bytes
    method: bytes
    route: Route | None
    began_at: float
    ended_at: float
    kept: str
    """Why it is traced."""
    ending: Ending
    attempts: tuple[AttemptRecord, ...]
    candidates: tuple[str, ...]
    """Upstreams where it might go when it was decided, in order."""
    dimensions: tuple[str, ...]
    link: Trace | None
    """The call that it repeats, or asks about."""


@dataclass(frozen=True, slots=True)
class LateRecord:
    """What an attempt came to after its caller had been answered."""

    trace_id: bytes
    flags: bytes
    parent_id: bytes
    span_id: bytes
    began_at: float
    ended_at: float
    upstream: Upstream
    ending: Ending


Record = CallRecord | LateRecord


def ending(outcome: Outcome) -> Ending:
    """What is kept of an outcome."""
    answer = outcome if isinstance(outcome, Answered) else None
    return Ending(
        KINDS[type(outcome)],
        outcome.execution,
        outcome.reason,
        outcome.origin,
        outcome.phase if isinstance(outcome, _FAILED) else "",
        outcome.partner or "",
        outcome.upstream or "",
        answer.response.status if answer else 0,
        answer.replayed if answer else False,
        "" if isinstance(outcome, _FAILED) else outcome.settled_by,
    )


def taken(
    call: Call, outcome: Outcome, ended_at: float, kept: str, span_id: bytes, link: Trace | None
) -> CallRecord:
    """The record of a call that ended; attempts without an outcome are those that were cut."""
    last = ending(outcome)
    return CallRecord(
        call.id,
        call.trace_id,
        call.span_id,
        call.trace_flags,
        span_id,
        call.request.method,
        call.route,
        call.arrived_at,
        ended_at,
        kept,
        last,
        tuple(_attempt(each, ended_at, last) for each in call.attempts),
        tuple(each.upstream.name for each in call.candidates),
        call.dimensions,
        link,
    )


def _attempt(attempt: Attempt, ended_at: float, cut: Ending) -> AttemptRecord:
    return AttemptRecord(
        attempt.number,
        attempt.span_id,
        attempt.candidate.upstream,
        attempt.begun_at,
        attempt.ended_at or ended_at,
        reached(attempt),
        attempt.reused,
        cut if attempt.outcome is None else ending(attempt.outcome),
    )


def reached(attempt: Attempt) -> tuple[tuple[str, float], ...]:
    """The phases that ended; a connection that was there already has no way to it."""
    instants: Sequence[tuple[str, float]] = (
        ("queue", attempt.queued_at),
        ("resolve", attempt.resolved_at),
        ("connect", attempt.connected_at),
        ("tls", attempt.secured_at),
        ("send", attempt.sent_at),
        ("first_byte", attempt.first_byte_at),
    )
    return tuple((phase, at) for phase, at in instants if at)
