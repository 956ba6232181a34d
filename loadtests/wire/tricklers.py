"""Slow clients: each sends a byte a second, half of them inside the header, half inside the body.

A trickler that is closed is replaced, so that the pressure stays; when told to
stop, the rest may live until their deadline and not longer.
"""

from __future__ import annotations

import asyncio
import collections
import os
import signal
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import uvloop

BYTE_INTERVAL_S = 1.0
HEAD = (
    b"POST /charges HTTP/1.1\r\nHost: localhost\r\nX-Delay-Us: 1000\r\nContent-Length: 1000\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Pressure:
    """How many at a time, and how long each may last before it counts as not closed."""

    port: int
    connections: int
    deadline_s: float
    grace_s: float


@dataclass(slots=True)
class Closed:
    """How the tricklers ended: ages in seconds, and what they were told."""

    ages_s: list[float] = field(default_factory=list)
    replies: collections.Counter[str] = field(default_factory=collections.Counter)
    still_open: int = 0


class _Trickler(asyncio.Protocol):
    """One slow connection. `in_body` sends the whole head first."""

    def __init__(self, closed: Closed, *, in_body: bool) -> None:
        self._closed = closed
        self._rest = b"x" * 1000 if in_body else HEAD
        self._first = HEAD if in_body else b""
        self._got = b""
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[None] = self._loop.create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._opened_at = time.monotonic()
        self._transport.write(self._first + self._rest[:1])
        self._rest = self._rest[1:]
        self._timer = self._loop.call_later(BYTE_INTERVAL_S, self._drip)

    def data_received(self, data: bytes) -> None:
        self._got += data

    def connection_lost(self, exc: Exception | None) -> None:
        self._timer.cancel()
        self._closed.ages_s.append(time.monotonic() - self._opened_at)
        self._closed.replies[self._got[9:12].decode("latin-1") or "none"] += 1
        self.ended.set_result(None)

    def _drip(self) -> None:
        if not self._transport.is_closing():
            self._transport.write(self._rest[:1])
            self._rest = self._rest[1:]
            self._timer = self._loop.call_later(BYTE_INTERVAL_S, self._drip)

    def give_up(self) -> None:
        self._transport.abort()


async def _slot(pressure: Pressure, number: int, closed: Closed, stop: asyncio.Event) -> None:
    """Keep one trickler alive until told to stop, then see its last one out."""
    loop = asyncio.get_running_loop()
    limit_s = pressure.deadline_s + pressure.grace_s
    while not stop.is_set():
        in_body = bool(number % 2)
        _, trickler = await loop.create_connection(
            lambda in_body=in_body: _Trickler(closed, in_body=in_body),  # type: ignore[misc]
            "127.0.0.1",
            pressure.port,
        )
        done, _ = await asyncio.wait([trickler.ended], timeout=limit_s)
        if not done:
            closed.still_open += 1
            trickler.give_up()
            await trickler.ended


async def _run(pressure: Pressure, pipe: Connection) -> Closed:
    closed, stop = Closed(), asyncio.Event()
    loop = asyncio.get_running_loop()
    slots = []
    for number in range(pressure.connections):
        slots.append(loop.create_task(_slot(pressure, number, closed, stop)))
        # spread over the deadline, so that closing and replacing them is as even as trickling
        await asyncio.sleep(pressure.deadline_s / pressure.connections)
    pipe.send(len(slots))
    loop.add_reader(pipe.fileno(), stop.set)
    await stop.wait()
    loop.remove_reader(pipe.fileno())
    os.set_blocking(pipe.fileno(), True)  # add_reader took that from it
    await asyncio.gather(*slots)
    return closed


def main(pressure: Pressure, pipe: Connection) -> None:
    """Entry point of the process: says when all are there; told anything, sends how they ended."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    closed = uvloop.run(_run(pressure, pipe))
    pipe.recv()
    pipe.send(closed)
