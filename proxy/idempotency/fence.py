"""The layer right above an attempt: what is about to be sent is durable before its first byte.

It stands above the attempt's timers, so that time on the disk is not charged to
the partner, and below retry, so that each attempt is fenced by itself. The first
one goes with the claim: see Claim.fence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from proxy.idempotency.journal import Journal
from proxy.idempotency.record import ClaimLost, Fence, Superseded
from proxy.idempotency.store import StoreUnavailable
from proxy.model.call import Call, Ticket
from proxy.model.outcome import Execution, Origin, Outcome, Refused
from proxy.model.route import Candidate
from proxy.pipeline.layer import AttemptHandler, AttemptLayer

JOURNAL_DOWN = Refused(
    "journal_unavailable", 503, "The journal cannot be written, so nothing was sent.",
    Origin.PROXY, retry_after_s=1,
)  # fmt: skip
TAKEN_OVER = Refused(
    "taken_over", 409, "Another run has taken this key over.", Origin.PROXY, Execution.UNKNOWN,
    retry_after_s=1,
)  # fmt: skip
_SPARE_S = 1.0
"""For our own work between the phases."""


def fence(journal: Journal, now: Callable[[], float]) -> AttemptLayer:
    """The layer; calls without a claim pass through."""

    def layer(inner: AttemptHandler) -> AttemptHandler:
        def handle(call: Call, candidate: Candidate) -> Awaitable[Outcome]:
            ticket = call.ticket
            if ticket is None:
                return inner(call, candidate)
            known, ticket.fenced_for = ticket.fenced_for, None
            if known == candidate.upstream.name:
                return inner(call, candidate)
            return fenced(call, candidate, ticket)

        async def fenced(call: Call, candidate: Candidate, ticket: Ticket) -> Outcome:
            upstream, begun_at = candidate.upstream, now()
            ticket.send_by = begins_by(candidate, call.deadline_at, begun_at)
            intent = Fence(
                attempt=ticket.attempt + 1, partner=upstream.partner, upstream=upstream.name,
                partner_key=ticket.partner_key,
                send_by=journal.store.instant().wall + ticket.send_by - begun_at,
                same_endpoint=_same_endpoint(call, upstream.name),
            )  # fmt: skip
            ticket.fenced = True  # also when it fails: it may reach the disk yet
            ticket.attempt += 1
            try:
                await journal.step(ticket.row_id, ticket.token, intent)
            except (StoreUnavailable, ClaimLost):
                return JOURNAL_DOWN
            except Superseded:
                return TAKEN_OVER
            return await inner(call, candidate)

        return handle

    return layer


def _same_endpoint(call: Call, upstream: str) -> frozenset[str]:
    assert call.route is not None
    return call.route.keyed.same_endpoint.get(upstream, frozenset())


def begins_by(candidate: Candidate, deadline_at: float, now: float) -> float:
    """The instant after which an attempt that is fenced now must not begin to send."""
    limits = candidate.timeouts
    opening_s = limits.queue_s + limits.resolve_s + limits.connect_s + limits.tls_s
    return min(deadline_at, now + opening_s + _SPARE_S)
