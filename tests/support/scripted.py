"""A transport that follows a script on virtual time, in place of a pool and its connections.

It keeps the transport's promises: the deadline is looked at right before the
write, every wait ends at the deadline, and `sent_at` is set exactly when the
request was handed over. `sent` is the ledger of what was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import cast

from proxy.http1.exchange import Exchange, Result
from proxy.http1.pool import Pool
from proxy.model.call import Progress
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase
from proxy.model.route import Timeouts
from tests.support.manual_clock import ManualClock

BEFORE_SENDING = (Phase.QUEUE, Phase.RESOLVE, Phase.CONNECT, Phase.TLS)


@dataclass(frozen=True, slots=True)
class Step:
    """What one attempt meets, and after how many seconds; an exception is a bug of ours."""

    meets: Response | Failure | Exception
    takes_s: float = 0.0
    reused: bool = False
    write_fails: bool = False
    """The exception is raised before the write, not after it."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One request that may have left."""

    upstream: str
    at: float
    payload: bytes


class ScriptedPool:
    """Stands in for the pool of one upstream; its steps are taken one by one."""

    def __init__(
        self, upstream: str, clock: ManualClock, steps: Iterable[Step], sent: list[Sent]
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._steps = iter(steps)
        self._step: Step | None = None
        self._sent = sent
        self.busy = False
        self.asked = 0

    def as_pool(self) -> Pool:
        """Itself, for those who ask for the real one."""
        return cast(Pool, self)

    def take(self) -> _ScriptedConnection | None:
        """The next step begins; it may have an idle connection."""
        self.asked += 1
        self._step = next(self._steps, None)
        if self._step is None:
            raise AssertionError(f"an attempt at {self._upstream} that the script does not know")
        return self._connection(self._step) if self._step.reused else None

    async def open(
        self, progress: Progress, timeouts: Timeouts, deadline_at: float
    ) -> _ScriptedConnection | Failure:
        """A new connection, or the failure to get one."""
        step = self._step
        assert step is not None
        await asyncio.sleep(0)
        if isinstance(step.meets, Failure) and step.meets.phase in BEFORE_SENDING:
            return self._wait(step.takes_s, deadline_at, step.meets)
        progress.queued_at = progress.connected_at = self._clock.now()
        return self._connection(step)

    def _connection(self, step: Step) -> _ScriptedConnection:
        return _ScriptedConnection(step, self._clock, self._wait, self._note)

    def _note(self, payload: bytes) -> None:
        self._sent.append(Sent(self._upstream, self._clock.now(), payload))

    def _wait(self, takes_s: float, deadline_at: float, failure: Failure) -> Failure:
        left_s = max(0.0, deadline_at - self._clock.now())
        self._clock.advance(min(takes_s, left_s))
        if takes_s >= left_s:
            return Failure(failure.phase, "deadline", failure.sent)
        return failure


@dataclass(slots=True)
class _ScriptedConnection:
    """One connection, good for the one exchange that its step describes."""

    step: Step
    clock: ManualClock
    wait: Callable[[float, float, Failure], Failure]
    note: Callable[[bytes], None]

    def exchange(self, payload: bytes, exchange: Exchange) -> asyncio.Future[Result]:
        """As `ClientConnection.exchange`, in no time."""
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        step, progress = self.step, exchange.progress
        if self.clock.now() >= exchange.deadline_at:
            answer.set_result(Failure(Phase.SEND, "deadline", sent=False))
            return answer
        if isinstance(step.meets, Exception) and step.write_fails:
            raise step.meets
        if isinstance(step.meets, Failure) and not step.meets.sent:
            answer.set_result(step.meets)
            return answer
        progress.reused = step.reused
        progress.sent_at = self.clock.now()
        self.note(payload)
        if isinstance(step.meets, Exception):
            raise step.meets
        result = self._result(step.meets, exchange)
        asyncio.get_running_loop().call_soon(_set, answer, result)
        return answer

    def _result(self, meets: Response | Failure, exchange: Exchange) -> Result:
        hung = Failure(Phase.FIRST_BYTE, "timeout", sent=True)
        failure = meets if isinstance(meets, Failure) else hung
        waited = self.wait(self.step.takes_s, exchange.deadline_at, failure)
        if waited.reason == "deadline" and self.clock.now() >= exchange.deadline_at:
            return waited
        if isinstance(meets, Response):
            exchange.progress.first_byte_at = self.clock.now()
        return meets


def _set(answer: asyncio.Future[Result], result: Result) -> None:
    """The answer comes, whether or not somebody still waits for it."""
    if not answer.done():
        answer.set_result(result)
