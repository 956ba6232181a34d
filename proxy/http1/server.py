"""The inbound edge: one connection of an application.

    buffer -> head (grammar) -> body (length or chunks) -> handler -> answer

Bytes are kept in one buffer until a whole message can be cut off its front;
the next message is not looked at before the present one is answered, so
pipelined requests are answered in order and reading is paused meanwhile. A
handler, once started, runs to its end even when the application hangs up: the
call is no longer the socket's. Whatever is refused here is answered with a
short fixed text that never repeats the offending bytes, and the connection
closes, because nobody can say where the next message would begin.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, cast

from proxy.http1 import wire
from proxy.http1.request import RequestReader, Whole
from proxy.http1.request_head import Reject, RequestHead
from proxy.http1.timer import LazyTimer
from proxy.model.message import Request

if TYPE_CHECKING:
    from proxy.http1.serving import Edge

_DISCARD_S = 1.0
"""How long a refused sender is listened to, so that it can read the refusal."""


class ServerConnection(asyncio.Protocol):
    """One inbound connection; `edge` holds what all of them share."""

    def __init__(self, edge: Edge) -> None:
        self._edge = edge
        self._transport: asyncio.Transport | None = None
        self._reader = RequestReader(edge.limits)
        self._arrived_at = 0.0
        self._busy = False
        self._reading_paused = False
        self._writing_paused = False
        self._ended = False
        self._closing = False
        self._timer = LazyTimer(edge.loop, edge.now, self._expired)
        self._running: asyncio.Task[None] | None = None
        """The handler at work, held here because the loop alone would let it be collected."""

    # -- what asyncio calls -------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Admit the connection, or refuse it when there are too many."""
        self._transport = cast(asyncio.Transport, transport)
        edge = self._edge
        if edge.draining or len(edge.connections) >= edge.limits.connections_max:
            refused = Reject(503, "draining" if edge.draining else "connections_max")
            self._reject(refused) if edge.turn_away(self) else self.abort()
            return
        edge.connections.add(self)
        self._timer.arm(edge.now() + edge.limits.timeout_idle_s)

    def data_received(self, data: bytes) -> None:
        """Keep the bytes; read a message from them unless one is being answered."""
        if self._closing:
            return
        reader = self._reader
        if self._busy or self._writing_paused:
            reader.keep(data)
            self._pause_reading()
            return
        if reader.empty:
            self._arrived_at = self._edge.now()
        self._act(reader.feed(data))

    def eof_received(self) -> bool:
        """The application will send no more; what it has sent in full is still answered."""
        self._ended = True
        if self._busy or self._writing_paused:
            return True
        self._close()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection; a running handler goes on without it."""
        self._closing = True
        self._transport = None
        self._timer.close()
        self._edge.connections.discard(self)
        self._edge.turned_away.discard(self)

    def pause_writing(self) -> None:
        """The application reads slowly: answer nothing more until it has caught up."""
        self._writing_paused = True
        self._timer.arm(self._edge.now() + self._edge.limits.timeout_write_s)

    def resume_writing(self) -> None:
        """The application has caught up."""
        self._writing_paused = False
        if self._closing:
            return
        self._timer.disarm()
        if not self._busy:
            self._await_next()

    # -- reading a message --------------------------------------------------

    def _act(self, read: Whole | Reject | None) -> None:
        """Answer a whole request, refuse what is none, or wait for the rest."""
        if read is None:
            self._wait_for_the_rest()
        elif isinstance(read, Reject):
            self._reject(read)
        else:
            if not self._reader.empty:
                self._pause_reading()
            self._dispatch(*read)

    def _wait_for_the_rest(self) -> None:
        limits, reader = self._edge.limits, self._reader
        if reader.asked_to_continue:
            reader.asked_to_continue = False
            self._write(wire.CONTINUE)
        limit_s = limits.timeout_body_s if reader.in_body else limits.timeout_header_s
        self._timer.arm(self._arrived_at + limit_s)

    def _dispatch(self, head: RequestHead, body: bytes) -> None:
        """Start the handler for a whole request."""
        edge = self._edge
        self._timer.disarm()
        self._busy = True
        edge.busy.add(self)
        request = Request(head.method, head.target, head.host, head.headers, body, self._arrived_at)
        self._running = edge.loop.create_task(self._answer(request, head.keep_alive))

    # -- answering ----------------------------------------------------------

    async def _answer(self, request: Request, keep_alive: bool) -> None:
        """Run the handler and write its answer, if anybody is still there to read it."""
        try:
            response = await self._edge.handler(request)
        except Exception as error:  # noqa: BLE001 - a bug must not leave the caller waiting
            response = self._edge.failed(error)
        finally:
            self._edge.busy.discard(self)
        if self._transport is None or self._closing:
            return
        close = not keep_alive or self._edge.draining or (self._ended and self._reader.empty)
        self._transport.write(
            wire.encode_response(response, head=request.method == b"HEAD", close=close)
        )
        self._busy = False
        if close:
            self._close()
        elif not self._writing_paused:
            self._await_next()

    def _await_next(self) -> None:
        """Look for the next message: the rest of the buffer first, then the wire."""
        edge = self._edge
        now = edge.now()
        reader = self._reader
        if not reader.empty:
            if not reader.in_body:
                self._arrived_at = now
            self._act(reader.advance())
            if self._busy or self._closing:
                return
        if self._ended:
            self._close()
            return
        if self._reading_paused:
            self._resume_reading()
        if reader.empty:
            self._timer.arm(now + edge.limits.timeout_idle_s)

    def _reject(self, reject: Reject) -> None:
        """Answer with a short refusal and close.

        Closing a socket with unread bytes resets it, and the reset would
        overtake our answer: so stop sending, and let the sender finish.
        """
        self._edge.rejected(reject)
        refusal = self._edge.refusal(reject)
        self._write(wire.encode_response(refusal, head=self._reader.for_head, close=True))
        self._resume_reading()
        self._closing = True
        self._reader.clear()
        if self._transport is not None:
            try:
                self._transport.write_eof()
            except OSError:  # asyncio shuts the socket down here and now; the sender has gone
                self.abort()
                return
            self._timer.arm(self._edge.now() + _DISCARD_S)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _close(self) -> None:
        """Close once what was written has left, and not much later than that."""
        self._closing = True
        if self._transport is not None:
            self._transport.close()
            self._timer.arm(self._edge.now() + self._edge.limits.timeout_write_s)

    def close_if_idle(self) -> None:
        """For the drain: close unless a call is being answered."""
        if not self._busy:
            self._close()

    def cancel(self) -> None:
        """For the end of the drain: give up on the handler that still runs."""
        if self._running is not None:
            self._running.cancel()

    def abort(self) -> None:
        """Cut the connection now."""
        self._closing = True
        if self._transport is not None:
            self._transport.abort()

    # -- waiting ------------------------------------------------------------

    def _expired(self) -> None:
        """A message was not finished in time, the connection stayed idle, or nobody reads."""
        if self._closing or self._writing_paused:
            self.abort()
        elif self._reader.in_body:
            self._reject(Reject(408, "timeout_body"))
        elif not self._reader.empty:
            self._reject(Reject(408, "timeout_header"))
        else:
            self._close()

    def _pause_reading(self) -> None:
        if not self._reading_paused and self._transport is not None:
            self._reading_paused = True
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if self._reading_paused and self._transport is not None and not self._closing:
            self._reading_paused = False
            self._transport.resume_reading()
