"""PURE. What an ending says of the partner.

    ending                                                   verdict
    answered 1xx to 4xx (declines among them)                success, or slow
    answered 429, or 503 with Retry-After                    saturated
    answered 5xx                                             failure
    unsent in connect or tls, by partner or network          unreachable
    in doubt: timeout, reset, malformed ...                  failure
    in doubt: deadline, after the partner's usual patience   failure
    in doubt: deadline, cut short, yet past the slow limit   overdue
    everything else                                          nothing

"Everything else" is what is ours: refusals, the pool's queue, names, a forward proxy
of ours and what it says of the way behind it, our own certificate, our journal, a
bug, a deadline that the application made shorter, a connection that was closed while
idle, an answer out of the journal. A cancelled attempt has no outcome: whoever holds
its permit ends it with NOTHING.
"""

from __future__ import annotations

from enum import Enum
from math import inf

from proxy.model.call import Attempt
from proxy.model.egress import FORWARD_PROXY
from proxy.model.message import Response
from proxy.model.outcome import Answered, InDoubt, Origin, Outcome, Unsent
from proxy.model.phase import Phase

PATIENCE_SHARE = 0.9
"""A deadline counts from this share of the usual patience: connecting took its part of it."""
_TOO_MANY_REQUESTS, _UNAVAILABLE = 429, 503
_BEFORE_SENDING = (Phase.CONNECT, Phase.TLS)


class Verdict(Enum):
    """What one attempt says of the partner."""

    SUCCESS = "success"
    SLOW = "slow"
    """A success that took longer than the slow limit."""
    OVERDUE = "overdue"
    """No ending within the slow limit; how it would have ended is not known."""
    FAILURE = "failure"
    UNREACHABLE = "unreachable"
    """A failure before anything was sent: no connection, or no handshake."""
    SATURATED = "saturated"
    """The partner says that it has too much to do."""
    NOTHING = "nothing"


def verdict(outcome: Outcome, took_s: float, patience_s: float, slow_s: float) -> Verdict:
    """The verdict on one attempt.

    `took_s` is the time that the partner had, see `partner_s`. `patience_s` is what it is given
    where the application asks for no less: the smaller of the route's deadline and the candidate's
    timeout for the first byte. `slow_s` is the slice's own limit, `Circuit.slow_s`.
    """
    if isinstance(outcome, Answered):
        if outcome.replayed:
            return Verdict.NOTHING
        return _answered(outcome.response, took_s > slow_s)
    if outcome.origin is not Origin.PARTNER and outcome.origin is not Origin.NETWORK:
        return Verdict.NOTHING
    if isinstance(outcome, Unsent):
        if outcome.reason.startswith(FORWARD_PROXY):
            return Verdict.NOTHING
        return Verdict.UNREACHABLE if outcome.phase in _BEFORE_SENDING else Verdict.NOTHING
    if isinstance(outcome, InDoubt):
        return _in_doubt(outcome.reason, took_s, patience_s, slow_s)
    return Verdict.NOTHING


def _answered(response: Response, slow: bool) -> Verdict:
    status = response.status
    if status == _TOO_MANY_REQUESTS:
        return Verdict.SATURATED
    if status < 500:
        return Verdict.SLOW if slow else Verdict.SUCCESS
    if status == _UNAVAILABLE and any(key == b"retry-after" for key, _, _ in response.headers):
        return Verdict.SATURATED
    return Verdict.FAILURE


def _in_doubt(reason: str, took_s: float, patience_s: float, slow_s: float) -> Verdict:
    if reason == "bug":
        return Verdict.NOTHING
    if reason != "deadline" or took_s >= patience_s * PATIENCE_SHARE:
        return Verdict.FAILURE
    return Verdict.OVERDUE if took_s > slow_s else Verdict.NOTHING


def partner_s(attempt: Attempt) -> float:
    """Seconds of an ended attempt that were the partner's: not our queue's, nor the resolver's.

    Where anything was sent, from sending on: a new connection does not make the partner slow.
    """
    begun_at = attempt.sent_at or attempt.resolved_at or attempt.queued_at or attempt.begun_at
    return max(0.0, attempt.ended_at - begun_at)


def partner_since(attempt: Attempt) -> float:
    """Since when an attempt that is out has been the partner's; infinity: it is ours so far."""
    return attempt.sent_at or attempt.resolved_at or inf
