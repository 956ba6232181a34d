"""`proxy.upstream.attempt`: the record of an attempt, its outcome, and what comes too late."""

from __future__ import annotations

import asyncio
from typing import cast

import pytest

from proxy.http1.exchange import Exchange, Result
from proxy.http1.pool import Pool
from proxy.model.call import Progress
from proxy.model.events import AttemptEnded, Event, LateEnding
from proxy.model.message import Failure, Response
from proxy.model.outcome import Answered, Execution, InDoubt, Unsent
from proxy.model.phase import Phase
from proxy.model.route import Timeouts
from proxy.pipeline.layer import AttemptHandler
from proxy.upstream.attempt import attempts
from proxy.upstream.transport import Transport
from tests.support.manual_clock import START_S, ManualClock
from tests.support.scripted import ScriptedPool, Sent, Step
from tests.support.values import call, candidate, request, response, route


class _Bottom:
    """The innermost handler above a scripted pool for upstream `a`."""

    def __init__(self, *steps: Step) -> None:
        self.clock = ManualClock()
        self.sent: list[Sent] = []
        self.events: list[Event] = []
        self.pool = ScriptedPool("a", self.clock, steps, self.sent)
        transports = {"a": Transport(self.pool.as_pool())}
        self.handle = attempts(transports, self.clock, lambda: b"5" * 16, self.events.append)


async def test_the_record_says_how_far_it_got_and_how_it_ended() -> None:
    """Number, candidate, instants and outcome, complete when the event is told."""
    bottom, made, at = _Bottom(Step(response(201), takes_s=0.5)), call(), candidate()
    outcome = await bottom.handle(made, at)
    (record,) = made.attempts
    assert isinstance(outcome, Answered)
    assert record.outcome is outcome
    assert (record.number, record.candidate) == (1, at)
    assert (record.begun_at, record.sent_at, record.ended_at) == (START_S, START_S, START_S + 0.5)
    assert bottom.events == [AttemptEnded(made, record)]


async def test_a_fit_idle_connection_is_used_without_waiting() -> None:
    """It counts as queued when the attempt began, and the request is written once."""
    bottom, made = _Bottom(Step(response(), reused=True)), call()
    await bottom.handle(made, candidate())
    (record,) = made.attempts
    assert record.reused
    assert record.queued_at == record.begun_at == START_S
    assert len(bottom.sent) == 1


async def test_attempts_that_are_ready_together_send_together() -> None:
    """Each leaves the others a turn to get ready; then they take connections and send."""
    bottom = _Bottom(Step(response(), reused=True), Step(response(), reused=True))
    bottom.pool.busy = True
    running = [asyncio.ensure_future(bottom.handle(call(), candidate())) for _ in range(2)]
    await asyncio.sleep(0)
    assert (bottom.pool.asked, bottom.sent) == (0, [])
    await asyncio.sleep(0)
    assert len(bottom.sent) == 2
    await asyncio.gather(*running)


async def test_an_attempt_alone_sends_at_once() -> None:
    """There is nobody to send together with, and a turn takes time."""
    bottom = _Bottom(Step(response(), reused=True))
    running = asyncio.ensure_future(bottom.handle(call(), candidate()))
    await asyncio.sleep(0)
    assert len(bottom.sent) == 1
    await running


async def test_an_attempt_that_is_cancelled_in_its_turn_sends_nothing() -> None:
    """It had taken no connection yet."""
    bottom, made = _Bottom(Step(response(), reused=True)), call()
    bottom.pool.busy = True
    running = asyncio.ensure_future(bottom.handle(made, candidate()))
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (bottom.pool.asked, bottom.sent, made.sent) == (0, [], False)


@pytest.mark.parametrize("sent", [False, True])
async def test_a_connection_that_fails_is_not_replaced_here(sent: bool) -> None:
    """Whether to try again is decided above, by what the failure proves."""
    failure = Failure(Phase.SEND, "closed", sent)
    bottom, made = _Bottom(Step(failure, reused=True), Step(response())), call()
    outcome = await bottom.handle(made, candidate())
    assert isinstance(outcome, InDoubt if sent else Unsent)
    assert bottom.pool.asked == 1
    assert len(bottom.sent) == sent


async def test_attempts_are_numbered_from_one_within_their_call() -> None:
    """Across candidates and retries alike."""
    refused = Failure(Phase.CONNECT, "refused", sent=False)
    bottom, made = _Bottom(Step(refused), Step(refused), Step(response())), call()
    for _ in range(3):
        await bottom.handle(made, candidate())
    assert [record.number for record in made.attempts] == [1, 2, 3]
    assert [record.sent_at > 0 for record in made.attempts] == [False, False, True]


async def test_the_span_is_the_attempts_own() -> None:
    """A partner sees the call's trace and this attempt's span."""
    bottom, made = _Bottom(Step(response())), call()
    await bottom.handle(made, candidate())
    assert b"traceparent: 00-" + b"a" * 32 + b"-" + b"5" * 16 in bottom.sent[0].payload


@pytest.mark.parametrize(
    ("failure", "kind", "execution"),
    [
        (Failure(Phase.TLS, "certificate_expired", sent=False), Unsent, Execution.NONE),
        (Failure(Phase.SEND, "closed", sent=False), Unsent, Execution.NONE),
        (Failure(Phase.FIRST_BYTE, "reset", sent=True), InDoubt, Execution.UNKNOWN),
    ],
)
async def test_a_failure_becomes_the_outcome_that_its_sending_proves(
    failure: Failure, kind: type, execution: Execution
) -> None:
    """Unsent without a byte, in doubt with one."""
    bottom, made = _Bottom(Step(failure)), call()
    outcome = await bottom.handle(made, candidate())
    assert isinstance(outcome, kind)
    assert outcome.execution is execution
    assert made.sent is failure.sent


async def test_a_bug_in_the_transport_leaves_the_record_as_far_as_it_got() -> None:
    """Whoever looks at the record afterwards sees that it was sent, and no made-up outcome."""
    bottom, made = _Bottom(Step(ZeroDivisionError())), call()
    with pytest.raises(ZeroDivisionError):
        await bottom.handle(made, candidate())
    assert made.sent
    assert made.attempts[0].outcome is None
    assert bottom.events == []


@pytest.mark.parametrize("method", [b"HEAD", b"POST"])
@pytest.mark.parametrize("allow_eof_body", [False, True])
async def test_the_exchange_is_told_what_it_must_know(method: bytes, allow_eof_body: bool) -> None:
    """The deadline, the timeouts, whether a body can come, and whether the wire may end it."""
    seen: list[Exchange] = []

    class Connection:
        """Notes the exchange and answers."""

        def exchange(self, payload: bytes, exchange: Exchange) -> asyncio.Future[Result]:
            seen.append(exchange)
            answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            answer.set_result(response())
            return answer

    made = call(request(method), route(allow_eof_body=allow_eof_body))
    handle, at = _above(Connection(), []), candidate()
    await handle(made, at)
    (exchange,) = seen
    assert exchange.progress is made.attempts[0]
    assert exchange.timeouts is at.timeouts
    assert exchange.deadline_at == made.deadline_at
    assert exchange.head_request is (method == b"HEAD")
    assert exchange.allow_eof_body is allow_eof_body


@pytest.mark.parametrize("late", [response(201), Failure(Phase.BODY, "lingered", sent=True)])
async def test_what_a_partner_says_too_late_is_kept_and_told(late: Response | Failure) -> None:
    """The caller's outcome stays as it was; nothing that was said is thrown away."""
    exchanges: list[Exchange] = []

    class Connection:
        """Leaves the caller in doubt."""

        def exchange(self, payload: bytes, exchange: Exchange) -> asyncio.Future[Result]:
            exchange.progress.sent_at = START_S
            exchanges.append(exchange)
            answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
            answer.set_result(Failure(Phase.FIRST_BYTE, "timeout", sent=True))
            return answer

    events: list[Event] = []
    made = call()
    outcome = await _above(Connection(), events)(made, candidate())
    exchanges[0].late(late)
    (record,) = made.attempts
    assert record.outcome is outcome
    assert isinstance(outcome, InDoubt)
    assert record.late is late
    assert events == [AttemptEnded(made, record), LateEnding(made, record)]


class _OneConnection:
    """A pool with one connection of the test's own making."""

    busy = False

    def __init__(self, connection: object) -> None:
        self._connection = connection

    def take(self) -> None:
        """Nothing idle."""

    async def open(self, progress: Progress, timeouts: Timeouts, deadline_at: float) -> object:
        """The connection."""
        return self._connection


def _above(connection: object, events: list[Event]) -> AttemptHandler:
    transports = {"a": Transport(cast(Pool, _OneConnection(connection)))}
    return attempts(transports, ManualClock(), lambda: b"5" * 16, events.append)
