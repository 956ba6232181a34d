"""PURE. What is wrong with an attempt, if anything: phase, kind, reason and whose doing it is.

    ending                                          symptom
    answered 1xx to 3xx, 402, 409, 425              none; slow, if it took too long
    answered 429, or 503 with Retry-After           answer, saturated
    answered 5xx or 408                             answer, failed
    answered another 4xx to what was no GET         answer, rejected
    unsent                                          its phase, failed
    in doubt                                        its phase, failed; slow or nothing where the
                                                    application's deadline cut it short
    everything else                                 says nothing

A decline is an answer like any other: issuers' words never make a partner look ill.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from proxy.model.call import SAFE_METHODS, Attempt
from proxy.model.message import Response
from proxy.model.outcome import Answered, InDoubt, Origin, Outcome, Unsent

ANSWER = "answer"
"""The phase after all others: a complete answer, and what it says."""
_PATIENCE_SHARE = 0.9
_ORDINARY = frozenset((402, 409, 425))
_KEPT_OUT = frozenset((401, 403, 407))
_LOST = frozenset((404, 405, 410, 421))


class Kind(StrEnum):
    """How something is wrong."""

    FAILED = "failed"
    SLOW = "slow"
    SATURATED = "saturated"
    """The partner says that it has too much to do."""
    REJECTED = "rejected"
    """The partner does not take what it is sent."""


@dataclass(frozen=True, slots=True)
class Symptom:
    """What one attempt had."""

    phase: str
    kind: Kind
    reason: str
    origin: str
    """As far as this attempt alone can tell: application, us, dns, network or partner."""


NOTHING = Symptom("", Kind.FAILED, "", "")
"""It says neither good nor bad."""
_SLOW = Symptom("first_byte", Kind.SLOW, "slow", "partner")


def symptom(method: bytes, attempt: Attempt, slow_s: float, patience_s: float) -> Symptom | None:
    """What an ended attempt shows; None is good. `patience_s` is what the partner usually gets."""
    outcome = attempt.outcome
    if isinstance(outcome, Answered):
        if outcome.replayed:
            return NOTHING
        slow = attempt.ended_at - (attempt.sent_at or attempt.ended_at) > slow_s
        return _answered(method, outcome.response, slow=slow)
    if isinstance(outcome, Unsent | InDoubt):
        return _failed(outcome, attempt, slow_s, patience_s)
    return NOTHING


def _answered(method: bytes, response: Response, *, slow: bool) -> Symptom | None:
    status = response.status
    if status < 400 or status in _ORDINARY:
        return _SLOW if slow else None
    if status == 429 or (status == 503 and _asks_for_time(response)):
        return Symptom(ANSWER, Kind.SATURATED, f"status_{status}", "partner")
    if status >= 500 or status == 408:
        return Symptom(ANSWER, Kind.FAILED, f"status_{status}", "partner")
    if method in SAFE_METHODS:
        return None
    ours = status in _KEPT_OUT or status in _LOST
    return Symptom(ANSWER, Kind.REJECTED, f"status_{status}", "us" if ours else "application")


def _asks_for_time(response: Response) -> bool:
    return any(key == b"retry-after" for key, _, _ in response.headers)


def _failed(
    outcome: Unsent | InDoubt, attempt: Attempt, slow_s: float, patience_s: float
) -> Symptom:
    if outcome.reason in ("deadline", "paused"):
        took_s = attempt.ended_at - (attempt.sent_at or attempt.ended_at)
        if not attempt.sent_at or took_s < patience_s * _PATIENCE_SHARE:
            return _SLOW if took_s > slow_s else NOTHING
    return Symptom(outcome.phase.value, Kind.FAILED, outcome.reason, origin_of(outcome))


def origin_of(outcome: Outcome) -> str:
    """An outcome's origin in the words of verdicts: what is the proxy's is ours."""
    return "us" if outcome.origin is Origin.PROXY else outcome.origin.value
