"""One attempt: the innermost layer.

It writes the record of the attempt, hands the request to the transport, and
turns what comes back into an outcome. When the caller was answered in doubt
and the exchange ends later, the ending is kept on the record and told as an
event: nothing that a partner said is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.http1.client import ClientConnection
from proxy.http1.exchange import Exchange, Result
from proxy.http1.turn import TURN
from proxy.model.call import Attempt, Call
from proxy.model.clock import Clock
from proxy.model.events import AttemptEnded, Emit, LateEnding
from proxy.model.message import Failure
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate
from proxy.pipeline.layer import AttemptHandler
from proxy.upstream.classify import classify
from proxy.upstream.transport import Transport


def attempts(
    transports: Mapping[str, Transport], clock: Clock, span_id: Callable[[], bytes], emit: Emit
) -> AttemptHandler:
    """The handler at the bottom of the stack; `transports` by upstream name."""

    async def attempt(call: Call, candidate: Candidate) -> Outcome:
        assert call.route is not None
        record = Attempt(
            number=len(call.attempts) + 1,
            candidate=candidate,
            begun_at=clock.now(),
            span_id=span_id(),
        )
        call.attempts.append(record)

        def late(result: Result) -> None:
            record.late = result
            record.late_outcome = classify(result, candidate)
            emit(LateEnding(call, record))

        transport = transports[candidate.upstream.name]
        payload = transport.rewriter(call.route, candidate).payload(call, record.span_id)
        exchange = Exchange(
            record,
            candidate.timeouts,
            call.deadline_at,
            call.request.method == b"HEAD",
            call.route.allow_eof_body,
            late,
            call.deadline_at if call.ticket is None else call.ticket.send_by,
        )
        pool = transport.pool
        waited = pool.busy
        if waited:
            await TURN  # calls that are ready together send together
        connection: ClientConnection | Failure | None = pool.take()
        if connection is None:
            connection = await pool.open(record, exchange.timeouts, exchange.deadline_at)
        else:
            record.queued_at = clock.now() if waited else record.begun_at
        if isinstance(connection, Failure):
            result: Result = connection
        else:
            result = await connection.exchange(payload, exchange)
        record.ended_at = clock.now()
        record.outcome = outcome = classify(result, candidate)
        emit(AttemptEnded(call, record))
        return outcome

    return attempt
