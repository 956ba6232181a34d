"""The pool and the rewriters of one upstream, as the attempt layer uses them."""

from __future__ import annotations

from dataclasses import dataclass, field

from proxy.http1.client import Exchange, Result
from proxy.http1.pool import Pool
from proxy.model.call import Attempt
from proxy.model.message import Failure
from proxy.model.route import Candidate, Route
from proxy.upstream.rewrite import Rewriter


@dataclass(slots=True)
class Transport:
    """Sends calls to one upstream. Rewriters are made at first use and bounded by the routes."""

    pool: Pool
    _rewriters: dict[tuple[str, str], Rewriter] = field(default_factory=dict)

    def rewriter(self, route: Route, candidate: Candidate) -> Rewriter:
        """The rewriter for this route's calls to this upstream."""
        key = (route.name, candidate.upstream.name)
        rewriter = self._rewriters.get(key)
        if rewriter is None:
            rewriter = self._rewriters[key] = Rewriter(route, candidate)
        return rewriter


async def send(
    transport: Transport, attempt: Attempt, payload: bytes, exchange: Exchange
) -> Result:
    """Send `payload` on a connection of the pool; the result says how far it got."""
    pool = transport.pool
    connection = pool.take()
    if connection is None:
        opened = await pool.open(attempt, exchange.timeouts, exchange.deadline_at)
        if isinstance(opened, Failure):
            return opened
        connection = opened
    else:
        attempt.queued_at = attempt.begun_at
    return await connection.exchange(payload, exchange)
