"""Calls at a fixed rate, whatever becomes of them: latency counts from the planned instant."""

from __future__ import annotations

import asyncio
import math
import random
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import uvloop

SILENCE_S = 20.0
DELAY_P50_S = 0.05
DELAY_SIGMA = 0.4
"""A partner's latency: log-normal, the same seed giving the same delays in every arm."""


@dataclass(frozen=True, slots=True)
class Load:
    """How many calls, how fast; the first `warm_up` are made but not counted."""

    port: int
    seed: int
    calls: int
    rate_per_s: float
    warm_up: int = 100


@dataclass(slots=True)
class Timings:
    """Seconds of each counted call: in all, and without the partner's own time."""

    total_s: list[float] = field(default_factory=list)
    own_s: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)


class _Line(asyncio.Protocol):
    """A keep-alive connection that carries one call at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._reply: asyncio.Future[bytes] | None = None
        self.transport: asyncio.Transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._reply is not None and not self._reply.done():
            self._reply.set_result(b"hung up")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0 or self._reply is None:
            return
        head = self._buffer[:end].lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self._buffer) >= end + 4 + length:
            self._buffer = b""
            if not self._reply.done():
                self._reply.set_result(head)

    def call(self, delay_s: float) -> asyncio.Future[bytes]:
        """Send a call; the future gets the head of its reply."""
        self._reply = asyncio.get_running_loop().create_future()
        body = b'{"amount":1000,"currency":"EUR","card":"tok_1"}'
        self.transport.write(
            b"POST /charges HTTP/1.1\r\nHost: localhost\r\nX-Delay-Us: %d\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (delay_s * 1e6, len(body), body)
        )
        return self._reply


async def _run(load: Load) -> Timings:
    timings, rng = Timings(), random.Random(load.seed)
    loop = asyncio.get_running_loop()
    free: list[_Line] = []
    started_at = time.perf_counter() + 0.1  # uvloop's own clock ticks in milliseconds

    async def one(number: int, planned_at: float, delay_s: float) -> None:
        line = free.pop() if free else None
        if line is None:
            _, line = await loop.create_connection(_Line, "127.0.0.1", load.port)
        try:
            head = await asyncio.wait_for(line.call(delay_s), SILENCE_S)
        except TimeoutError:
            head = b"silence"
        total_s = time.perf_counter() - planned_at
        took = head.partition(b"x-took-us: ")[2].partition(b"\r\n")[0]
        if not head.startswith(b"http/1.1 200 ") or not took:
            timings.failures.append(f"call {number}: {head[:200]!r}")
            line.transport.abort()
            return
        free.append(line)
        if number >= load.warm_up:
            timings.total_s.append(total_s)
            timings.own_s.append(total_s - int(took) / 1e6)

    async with asyncio.TaskGroup() as group:
        for number in range(load.warm_up + load.calls):
            planned_at = started_at + number / load.rate_per_s
            delay_s = DELAY_P50_S * math.exp(rng.gauss(0, DELAY_SIGMA))
            await asyncio.sleep(max(0.0, planned_at - time.perf_counter()))
            group.create_task(one(number, planned_at, delay_s))
    for line in free:
        line.transport.abort()
    return timings


def main(load: Load, pipe: Connection) -> None:
    """Entry point of the process: makes the calls, then sends the timings."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pipe.send(uvloop.run(_run(load)))
