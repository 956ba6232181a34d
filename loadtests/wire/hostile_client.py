"""Closed-loop clients that give every call a nonce of its own and check whose answer comes back."""

from __future__ import annotations

import asyncio
import collections
import json
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import uvloop

SILENCE_S = 30.0
"""Above every timeout of the sidecar under test: no progress for so long is a violation."""
VIOLATIONS_MAX = 20
PROBLEM_STATUSES = frozenset({502, 503, 504})


@dataclass(slots=True)
class Seen:
    """What the clients were told.

    `mixed` are the nonces that got an answer which is not theirs, each with the
    monotonic instant at which the call began and the number of that answer, if it
    has one, else 0; `none` those of which it was said that they were not executed.
    """

    responses: int = 0
    ok: int = 0
    mixed: dict[int, tuple[float, int]] = field(default_factory=dict)
    none: list[int] = field(default_factory=list)
    outcomes: collections.Counter[str] = field(default_factory=collections.Counter)
    violations: list[str] = field(default_factory=list)

    def violate(self, what: str) -> None:
        """Keep a violation; the first few tell enough."""
        if len(self.violations) < VIOLATIONS_MAX:
            self.violations.append(what)


class Caller(asyncio.Protocol):
    """One keep-alive connection: sends the next call as soon as it has its answer."""

    def __init__(self, seen: Seen, nonces: range, done: asyncio.Future[None]) -> None:
        self._seen = seen
        self._nonces = iter(nonces)
        self._done = done
        self._nonce, self._begun_at = -1, 0.0
        self._buffer = b""
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start calling."""
        self._transport = cast(asyncio.Transport, transport)
        self._next()

    def connection_lost(self, exc: Exception | None) -> None:
        """The sidecar has no reason to hang up on a client that behaves."""
        if not self._done.done():
            self._seen.violate(f"the sidecar hung up on nonce {self._nonce}: {exc!r}")
            self._done.set_result(None)

    def data_received(self, data: bytes) -> None:
        """Collect one reply and judge it."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self._buffer) < end + 4 + length:
            return
        body = self._buffer[end + 4 : end + 4 + length]
        if len(self._buffer) > end + 4 + length:
            self._seen.violate(f"bytes behind the reply to {self._nonce}: {self._buffer!r}")
        self._buffer = b""
        self._judge(head, body)
        self._next()

    def _next(self) -> None:
        nonce = next(self._nonces, None)
        if nonce is None:
            self._done.set_result(None)
            self._transport.close()
            return
        self._nonce, self._begun_at = nonce, time.monotonic()
        body = b'{"amount":1000,"currency":"EUR","nonce":"%d"}' % nonce
        self._transport.write(
            b"POST /charges HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"X-Nonce: %d\r\nContent-Length: %d\r\n\r\n%b" % (nonce, len(body), body)
        )

    def _judge(self, head: bytes, body: bytes) -> None:
        seen = self._seen
        seen.responses += 1
        status = int(head[9:12])
        if b"\r\ntidegate-outcome: answered\r\n" in head + b"\r\n":
            named = b"\r\nx-nonce: %d\r\n" % self._nonce in head + b"\r\n"
            if status != 200 or not named or body != b'{"nonce":"%d"}' % self._nonce:
                number = head.partition(b"\r\nx-nonce: evil-")[2].partition(b"\r\n")[0]
                seen.mixed[self._nonce] = (self._begun_at, int(number or 0))
            else:
                seen.ok += 1
            return
        self._judge_problem(status, head, body)

    def _judge_problem(self, status: int, head: bytes, body: bytes) -> None:
        seen = self._seen
        if b"content-type: application/problem+json" not in head or status not in PROBLEM_STATUSES:
            seen.violate(f"reply without a label for nonce {self._nonce}: {head!r} {body!r}")
            return
        problem = json.loads(body)
        execution = problem["execution"]
        outcome = head.partition(b"tidegate-outcome: ")[2].partition(b"\r\n")[0].decode()
        labelled = (outcome, execution) in (("in_doubt", "unknown"), ("unsent", "none"))
        if not labelled or b"tidegate-execution: %b" % execution.encode() not in head:
            seen.violate(f"wrong label for nonce {self._nonce}: {head!r} {body!r}")
        if execution == "none":
            seen.none.append(self._nonce)
        seen.outcomes[f"{outcome} {problem.get('phase')} {problem['reason']}"] += 1


async def _call(port: int, first: int, count: int, connections: int) -> Seen:
    seen = Seen()
    loop = asyncio.get_running_loop()
    ends = []
    for number in range(connections):
        done: asyncio.Future[None] = loop.create_future()
        nonces = range(first + number, first + count, connections)
        await loop.create_connection(
            lambda nonces=nonces, done=done: Caller(seen, nonces, done),  # type: ignore[misc]
            "127.0.0.1",
            port,
        )
        ends.append(done)
    before = -1
    while pending := [each for each in ends if not each.done()]:
        await asyncio.wait(pending, timeout=SILENCE_S)
        if seen.responses == before:
            seen.violate(f"no reply for {SILENCE_S} s, {len(pending)} connections wait")
            break
        before = seen.responses
    return seen


def main(port: int, first: int, count: int, connections: int, pipe: Connection) -> None:
    """Entry point of the process: calls with nonces from `first` on, then sends what it saw."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send(uvloop.run(_call(port, first, count, connections)))
