"""One keep-alive connection of the driver to the sidecar.

Deliberately plain: one request at a time, one parser, no pooling rule but the
driver's. Anything that does not look like exactly one answer to the one
request under way ends the connection, and the call with it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from typing import cast

import httptools

from loadtests.incidents.history import CallRecord

_TEXT_FIELDS = {
    b"tidegate-outcome": "outcome",
    b"tidegate-execution": "execution",
    b"tidegate-upstream": "upstream",
    b"tidegate-call": "call_id",
    b"sandbox-nonce": "echoed_nonce",
}


class Connection(asyncio.Protocol):
    """Carries one call at a time; `on_free` and `on_closed` tell the driver what became of it."""

    def __init__(
        self, on_free: Callable[[Connection], None], on_closed: Callable[[Connection], None]
    ) -> None:
        self._on_free = on_free
        self._on_closed = on_closed
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._record: CallRecord | None = None
        self._answered: CallRecord | None = None
        self._stray = False
        self._problem: list[bytes] | None = None

    def send(self, record: CallRecord, request: bytes) -> None:
        """Send a request and keep `record` up to date with what becomes of it."""
        if self._transport is None:
            raise RuntimeError("a connection sends only between made and lost")
        self._record = record
        record.sent = True
        self._transport.write(request)

    def carries(self, record: CallRecord) -> bool:
        """Whether this is the call under way."""
        return self._record is record

    def give_up(self, error: str) -> None:
        """End the call under way without an answer, and the connection with it."""
        self._fail(error)
        if self._transport is not None:
            self._transport.abort()

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands; the driver hands it the first call."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Feed the parser. The connection is free only once the whole segment proved regular:
        a call sent on it any earlier could be handed the bytes behind its predecessor's answer.
        """
        waiting = self._record is not None
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._irregular("malformed_answer")
            return
        if self._stray or not waiting:
            self._irregular("stray_bytes")
        elif self._record is None:
            self._end_exchange()

    def connection_lost(self, exc: Exception | None) -> None:
        """The sidecar, or we, closed it; a call still under way will never be answered."""
        self._transport = None
        self._fail("reset" if exc else "closed")
        self._on_closed(self)

    # httptools callbacks

    def on_message_begin(self) -> None:
        """An answer begins; without a call under way it is nobody's."""
        self._stray = self._stray or self._record is None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the headers that the checks need."""
        record, key = self._record, name.lower()
        if record is None:
            return
        if key in _TEXT_FIELDS:
            setattr(record, _TEXT_FIELDS[key], value.decode("latin-1"))
        elif key == b"tidegate-attempts":
            record.attempts = int(value)
        elif key == b"sandbox-time-ms":
            record.partner_time_s = float(value) / 1000.0
        elif key == b"content-type" and value.startswith(b"application/problem+json"):
            self._problem = []

    def on_body(self, data: bytes) -> None:
        """Only a problem's body is looked at."""
        if self._problem is not None:
            self._problem.append(data)

    def on_message_complete(self) -> None:
        """The answer is whole, and the call ends here."""
        record = self._record
        if record is None:
            return
        record.status = self._parser.get_status_code()
        record.ended_at = time.monotonic()
        if self._problem is not None:
            record.reason = _reason(b"".join(self._problem))
        self._record, self._answered, self._problem = None, record, None

    def _end_exchange(self) -> None:
        if self._parser.should_keep_alive():
            self._on_free(self)
        elif self._transport is not None:
            self._transport.close()

    def _irregular(self, error: str) -> None:
        """Bytes that are not exactly one answer: blame the call under way, or the one before."""
        if self._record is None and self._answered is not None:
            self._answered.error = error
        self.give_up(error)

    def _fail(self, error: str) -> None:
        record, self._record, self._problem = self._record, None, None
        if record is not None:
            record.error = error
            record.ended_at = time.monotonic()


def _reason(problem: bytes) -> str:
    """The `reason` of a problem; one that is no JSON object has the reason to say so."""
    try:
        members = json.loads(problem)
        return str(members["reason"])
    except (ValueError, KeyError, TypeError):
        return "malformed_problem"
