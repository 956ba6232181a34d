"""The outbound edge: one connection to an upstream.

It knows one thing that no general client tells: how far a request got. Before
`write()` a failure is unsent; from `write()` on bytes may have left (uvloop
queues them, the kernel sends them, nobody can take them back), and only a
complete, well-formed answer is an answer.

    idle -> busy -> idle            the answer was clean, the connection serves on
                 -> closed          anything irregular: abort(), never close()
                 -> lingering       the caller's time is up; the answer may still come

A caller that stops waiting does not stop the exchange: it lingers, bounded, so
that a late answer is learned and not lost. Any byte while idle closes the
connection, since nobody can say whose answer it would be.
"""

from __future__ import annotations

import asyncio
import os
import select
import ssl
from collections.abc import Callable
from typing import cast

from proxy.http1.answer import AnswerReader
from proxy.http1.exchange import Exchange, Owner, Result
from proxy.http1.securing import Securable, tls_reason
from proxy.http1.timer import NEVER, LazyTimer
from proxy.model.message import Failure, Response
from proxy.model.phase import Phase

_TIMEOUTS = frozenset(("timeout", "deadline"))


def _alert(error: ssl.SSLError) -> str:
    """A refusal of our certificate has its own word: under TLS 1.3 it comes when the request has
    left, since only the partner's side of the handshake was waited for.
    """
    reason = tls_reason(error)
    return reason if reason.startswith("client_certificate") else "tls_alert"


class ClientConnection(Securable):
    """One connection; `exchange` sends a request on it when it is idle."""

    def __init__(
        self, owner: Owner, loop: asyncio.AbstractEventLoop, now: Callable[[], float]
    ) -> None:
        self._owner = owner
        self._loop = loop
        self._now = now
        self._transport: asyncio.Transport | None = None
        self._below: asyncio.Transport | None = None
        """The TCP connection under TLS, which may hold bytes that TLS has forgotten."""
        self._poll = select.poll()
        self._timer = LazyTimer(loop, now, self._expired)
        limits = owner.limits
        self._reader = AnswerReader(limits.header_bytes_max, limits.body_bytes_max)
        self._exchange: Exchange | None = None
        self._answer: asyncio.Future[Result] | None = None
        self._tls = False
        self._descriptor = -1
        self.opened_at = 0.0
        self.idle_since = 0.0
        self.used = False
        self.lingering = False
        self.closed = False

    # -- what asyncio calls -------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast(asyncio.Transport, transport)
        descriptor = transport.get_extra_info("socket").fileno()
        self._poll.register(descriptor, select.POLLIN | select.POLLRDHUP)
        self._descriptor = descriptor
        self.opened_at = self.idle_since = self._now()

    def secured(self, transport: asyncio.Transport, below: asyncio.Transport) -> None:
        """The connection stands, TLS included."""
        if self.closed:  # it ended, or spoke, as the handshake did
            transport.abort()
            return
        self._tls = True
        self._below = below
        self.connection_made(transport)

    def data_received(self, data: bytes) -> None:
        """Part of an answer; or, while idle, a reason to close."""
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        progress = exchange.progress
        if not progress.first_byte_at:
            progress.first_byte_at = self._now()
        result = self._reader.feed(data)
        if isinstance(result, Response):
            self._complete(result)
        elif result is not None:
            self._fail(result)
        elif self._reader.interim_only:
            progress.first_byte_at = 0.0
            self._arm(exchange, Phase.FIRST_BYTE)
        else:
            self._arm(exchange, Phase.BODY)

    def eof_received(self) -> bool:
        """The partner will send no more: the end of the answer, or of our hopes for one."""
        self._eof()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone, whoever ended it."""
        self.closed = True
        self._timer.close()
        if isinstance(exc, ssl.SSLError):
            self._fail(_alert(exc))
        elif exc is not None:
            self._fail("reset")
        else:
            self._eof()
        self._transport = self._below = None
        self._owner.lost(self)

    # -- the pool's questions -------------------------------------------------

    def spoke_first(self) -> bool:
        """Whether a new connection has bytes, or an end, before anything was sent on it.

        Not known over TLS, where session tickets arrive unasked.
        """
        return not self._tls and not self.fit()

    def fit(self) -> bool:
        """Idle, open and silent: seen on the descriptor itself, ahead of the loop."""
        if self.closed or self._transport is None or self._transport.is_closing():
            return False
        return not self._poll.poll(0)

    def abort(self) -> None:
        """Cut the connection now. close() on TLS would wait for the peer's goodbye."""
        if self.closed:
            return
        exchange = self._exchange
        if exchange is not None:  # our own cut must not pass for the end of an answer
            self._end(Failure(self._phase(exchange), "closed", sent=True))
        self.closed = True
        self._timer.close()
        if self._transport is not None:
            self._transport.abort()
        self._owner.lost(self)

    # -- one exchange -----------------------------------------------------------

    def exchange(self, payload: bytes, exchange: Exchange) -> asyncio.Future[Result]:
        """Send `payload`; the future always gets a result and never an exception.

        The clock is looked at here, right before `write()`: a process that was
        stopped for an hour must not send.
        """
        answer: asyncio.Future[Result] = self._loop.create_future()
        now = self._now()
        transport = self._transport
        late = now >= exchange.deadline_at or now >= exchange.send_by
        if late or transport is None or transport.is_closing():
            reason = (
                "closed" if not late else "deadline" if now >= exchange.deadline_at else "paused"
            )
            answer.set_result(Failure(Phase.SEND, reason, sent=False))
            self._owner.freed(self) if late else self.abort()
            return answer
        progress = exchange.progress
        progress.reused = self.used
        self.used = True
        self._exchange = exchange
        self._answer = answer
        self._reader.begin(head_request=exchange.head_request, reused=progress.reused)
        progress.sent_at = now
        if not self._hand_over(transport, payload):
            progress.sent_at = 0.0
            self._end(Failure(Phase.SEND, "closed", sent=False))
            self.abort()
            return answer
        timeouts = exchange.timeouts
        ends_at = now + min(timeouts.send_s, timeouts.first_byte_s)
        self._timer.arm(min(ends_at, exchange.deadline_at))
        return answer

    def _hand_over(self, transport: asyncio.Transport, payload: bytes) -> bool:
        """Give the request to the kernel now; False when it refused, and so nothing left.

        uvloop's write() would wait for the end of the tick, and bytes that
        arrive in that time, after the look at the descriptor and ahead of the
        request, would be taken for its answer. TLS has to go through the loop.
        """
        if self._tls:
            transport.write(payload)
            return True
        try:
            taken = os.write(self._descriptor, payload)
        except BlockingIOError:
            taken = 0
        except OSError:
            return False
        if taken < len(payload):
            transport.write(payload[taken:])
        return True

    def _complete(self, answer: Response) -> None:
        """A complete answer. The connection serves on only if nothing at all was odd."""
        transport = self._transport
        reusable = (
            self._reader.reusable
            and transport is not None
            and not transport.is_closing()
            and not self._sending(transport)
        )
        self._end(answer)
        if reusable and not self.lingering:
            self.idle_since = self._now()
            self._owner.freed(self)
        else:
            self.abort()

    def _eof(self) -> None:
        """The end of the wire ends the answer only where the route says that it may.

        Over TLS no loop tells a goodbye from a cut line, so such an answer can
        never be proven complete: that is what `allow_eof_body` accepts.
        """
        exchange = self._exchange
        if exchange is None:
            self.abort()
            return
        result = self._reader.end(allowed=exchange.allow_eof_body)
        if isinstance(result, Response):
            self._complete(result)
        else:
            self._fail(result)

    def _fail(self, reason: str) -> None:
        """No answer that can be trusted will come on this connection."""
        exchange = self._exchange
        if exchange is not None:
            if exchange.progress.reused and not self.lingering:
                timed_out = reason in _TIMEOUTS
                self._owner.failed(exchange.progress.sent_at if timed_out else NEVER)
            self._end(Failure(self._phase(exchange), reason, sent=True))
        self.abort()

    def _end(self, result: Result) -> None:
        exchange, answer = self._exchange, self._answer
        self._exchange = self._answer = None
        self._timer.disarm()
        if exchange is None or answer is None:
            return
        if answer.done():  # by a timeout, or by a caller that was cancelled
            exchange.late(result)
        else:
            answer.set_result(result)

    # -- waiting ------------------------------------------------------------------

    def _phase(self, exchange: Exchange) -> Phase:
        if exchange.progress.first_byte_at:
            return Phase.BODY
        transport = self._transport
        if transport is not None and not self.closed and self._sending(transport):
            return Phase.SEND
        return Phase.FIRST_BYTE

    def _sending(self, transport: asyncio.Transport) -> bool:
        """Whether part of the request still waits here for room on the wire."""
        if transport.get_write_buffer_size():
            return True
        return self._below is not None and self._below.get_write_buffer_size() > 0

    def _arm(self, exchange: Exchange, phase: Phase) -> None:
        if not self.lingering:
            self._timer.arm(min(self._ends_at(exchange, phase), exchange.deadline_at))

    def _expired(self) -> None:
        exchange = self._exchange
        if exchange is None:
            return
        if self.lingering:
            self._fail("lingered")
            return
        now, phase = self._now(), self._phase(exchange)
        ends_at = self._ends_at(exchange, phase)
        if now < min(ends_at, exchange.deadline_at):
            self._timer.arm(min(ends_at, exchange.deadline_at))
            return
        self._leave_caller(
            exchange, phase, "deadline" if now >= exchange.deadline_at else "timeout"
        )

    def _ends_at(self, exchange: Exchange, phase: Phase) -> float:
        progress, timeouts = exchange.progress, exchange.timeouts
        if phase is Phase.SEND:
            return progress.sent_at + timeouts.send_s
        if phase is Phase.FIRST_BYTE:
            return progress.sent_at + timeouts.first_byte_s
        return progress.first_byte_at + timeouts.body_s

    def _leave_caller(self, exchange: Exchange, phase: Phase, reason: str) -> None:
        """Answer the caller in doubt; wait on for the answer if there is room to.

        A request that did not even leave in full is cut off instead: half a
        request is one that the partner cannot execute.
        """
        answer = self._answer
        if answer is None or phase is Phase.SEND or not self._owner.may_linger(self):
            self._fail(reason)
            return
        if exchange.progress.reused:
            self._owner.failed(exchange.progress.sent_at)
        if not answer.done():
            answer.set_result(Failure(phase, reason, sent=True))
        self.lingering = True
        self._timer.arm(self._now() + self._owner.limits.linger_s)
