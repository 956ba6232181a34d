"""`proxy.upstream.transport`: an idle connection first, a new one else, one write in any case."""

from __future__ import annotations

from proxy.http1.client import Exchange
from proxy.model.call import Attempt
from proxy.model.message import Failure
from proxy.model.phase import Phase
from proxy.upstream.transport import Transport, send
from tests.support.manual_clock import START_S, ManualClock
from tests.support.scripted import ScriptedPool, Sent, Step
from tests.support.values import attempt, call, candidate, response, route


class _Sending:
    """`send` above a scripted pool."""

    def __init__(self, *steps: Step) -> None:
        self.clock = ManualClock()
        self.sent: list[Sent] = []
        self.pool = ScriptedPool("a", self.clock, steps, self.sent)
        self.transport = Transport(self.pool.as_pool())

    async def run(self, record: Attempt) -> object:
        made, at = call(), record.candidate
        exchange = Exchange(
            record, at.timeouts, made.deadline_at, False, False, lambda late: None
        )
        return await send(self.transport, record, b"payload", exchange)


async def test_a_fit_idle_connection_is_used_without_waiting() -> None:
    """It counts as queued when the attempt began."""
    sending, record = _Sending(Step(response(), reused=True)), attempt()
    assert await sending.run(record) == response()
    assert record.reused
    assert record.queued_at == record.begun_at == START_S
    assert [each.payload for each in sending.sent] == [b"payload"]


async def test_without_one_a_new_connection_is_opened() -> None:
    """And the request is written once."""
    sending, record = _Sending(Step(response())), attempt()
    assert await sending.run(record) == response()
    assert not record.reused
    assert len(sending.sent) == 1


async def test_what_cannot_be_opened_is_not_sent() -> None:
    """The pool's failure is the result as it is."""
    failure = Failure(Phase.CONNECT, "refused", sent=False)
    sending, record = _Sending(Step(failure)), attempt()
    assert await sending.run(record) is failure
    assert sending.sent == []
    assert record.sent_at == 0.0


async def test_a_connection_that_fails_is_not_replaced_here() -> None:
    """Whether to try again is decided above, by what the failure proves."""
    for sent in (False, True):
        failure = Failure(Phase.SEND, "closed", sent)
        sending = _Sending(Step(failure, reused=True), Step(response()))
        assert await sending.run(attempt()) is failure
        assert sending.pool.asked == 1
        assert len(sending.sent) == sent


def test_rewriters_are_made_once_for_each_route_and_upstream() -> None:
    """They belong to the pair: another route has another prefix and other headers."""
    transport = Transport(ScriptedPool("a", ManualClock(), [], []).as_pool())
    at, refunds = candidate("a"), route(name="refunds", path_prefix=b"/refunds")
    first = transport.rewriter(route(), at)
    assert transport.rewriter(route(), at) is first
    assert transport.rewriter(refunds, at) is not first
