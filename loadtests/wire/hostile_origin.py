"""An origin that does to pooled connections what real ones do, only all the time.

It answers with the request's nonce, in a header and in the body, and counts each
request that it has read: that is "executed". In between it sends what nobody asked for.
"""

from __future__ import annotations

import asyncio
import collections
import os
import random
import select
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import cast

import uvloop

TIMED_OUT = (
    b"HTTP/1.1 408 Request Timeout\r\nX-Nonce: evil-%d\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)
EVIL = b"HTTP/1.1 200 OK\r\nX-Nonce: evil-%d\r\nContent-Length: 4\r\n\r\nevil"
IN_FLIGHT_S = 0.0001
"""How long a request can be under way on loopback, sent and not seen."""
GARBAGE = (
    b"\r\n", b"x", b"\0" * 9, b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nX-Nonce: evil\r\n",
)  # fmt: skip


@dataclass(slots=True)
class Executed:
    """How often each nonce was read completely, and what the origin did.

    `crossed` were on their way while something unasked was sent: no proxy can tell it from a quick
    answer. `unasked` has the monotonic instant of each such answer by its number; 0 excuses nobody.
    """

    counts: collections.Counter[int] = field(default_factory=collections.Counter)
    crossed: set[int] = field(default_factory=set)
    unasked: list[float] = field(default_factory=lambda: [0.0])
    moves: collections.Counter[str] = field(default_factory=collections.Counter)


class Hostile(asyncio.Protocol):
    """One connection. `evil` adds complete, well-formed answers that nobody asked for."""

    def __init__(self, executed: Executed, rng: random.Random, *, evil: bool) -> None:
        self._executed = executed
        self._rng = rng
        self._evil = evil
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)
        self._buffer = b""
        self._arrivals = 0
        self._crossed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """With `evil` even a connection that has never served is not left in peace."""
        self._transport = cast(asyncio.Transport, transport)
        self._descriptor = transport.get_extra_info("socket").fileno()
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)
        if self._evil and self._rng.random() < 0.03:
            self._later(self._rng.uniform(0.0005, 0.03), self._disturb)

    def data_received(self, data: bytes) -> None:
        """Collect one request; a whole one counts as executed and gets its move."""
        self._arrivals += 1
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if len(self._buffer) < end + 4 + length:
            return
        nonce = head.partition(b"x-nonce: ")[2].partition(b"\r\n")[0]
        self._buffer = self._buffer[end + 4 + length :]
        self._executed.counts[int(nonce)] += 1
        if self._crossed:
            self._executed.crossed.add(int(nonce))
        self._answer(nonce)

    def _answer(self, nonce: bytes) -> None:
        move, _ = self._rng.choices(MOVES, _WEIGHTS)[0]
        self._executed.moves[move.__name__.strip("_")] += 1
        move(self, b"X-Nonce: %b\r\n" % nonce, b'{"nonce":"%b"}' % nonce)

    def _write(self, data: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(data)

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        """Act after a while, if nothing came in the meantime: what is idle is disturbed."""
        arrivals = self._arrivals

        def check() -> None:
            if self._transport.is_closing() or self._arrivals != arrivals or self._poll.poll(0):
                return
            act()

        asyncio.get_running_loop().call_later(seconds, check)

    def _disturb(self) -> None:
        """Something that no idle connection should ever see."""
        choice = self._rng.randrange(6 if self._evil else 4)
        self._executed.moves[f"idle_{choice}"] += 1
        if choice == 0:
            self._unasked(TIMED_OUT)
            self._transport.close()
        elif choice == 1:
            self._unasked(self._rng.choice(GARBAGE))
        elif choice == 2:
            self._transport.close()
        elif choice == 3:
            self._transport.abort()
        else:
            self._unasked(EVIL)

    def _unasked(self, data: bytes) -> None:
        """Send at once, not at the end of the tick, and see whether a request was on its way."""
        if b"%d" in data:
            self._executed.unasked.append(time.monotonic())
            data %= len(self._executed.unasked) - 1
        try:
            os.write(self._descriptor, data)
        except OSError:
            return  # the sidecar has hung up
        until = time.perf_counter() + IN_FLIGHT_S
        while not self._crossed and time.perf_counter() < until:
            self._crossed = bool(self._poll.poll(0))

    # -- moves: how an executed request is answered -------------------------------------

    def _clean(self, head: bytes, body: bytes) -> None:
        self._write(_whole(head, body))
        if self._rng.random() < 0.03:
            self._later(self._rng.uniform(0, 0.01), self._disturb)

    def _chunked(self, head: bytes, body: bytes) -> None:
        start = b"HTTP/1.1 200 OK\r\n%bTransfer-Encoding: chunked\r\n\r\n" % head
        self._write(start + b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))

    def _interim(self, head: bytes, body: bytes) -> None:
        self._write(b"HTTP/1.1 103 Early Hints\r\nX-Nonce: evil\r\n\r\n" + _whole(head, body))

    def _in_pieces(self, head: bytes, body: bytes) -> None:
        whole = _whole(head, body)
        at = self._rng.randrange(1, len(whole))
        self._write(whole[:at])
        delay_s = self._rng.uniform(0, 0.003)
        asyncio.get_running_loop().call_later(delay_s, self._write, whole[at:])

    def _stray(self, head: bytes, body: bytes) -> None:
        strays = (*GARBAGE, TIMED_OUT % 0, EVIL % 0)
        self._write(_whole(head, body) + self._rng.choice(strays))

    def _stray_later(self, head: bytes, body: bytes) -> None:
        self._write(_whole(head, body))
        stray = self._rng.choice((*GARBAGE, TIMED_OUT))
        self._later(self._rng.uniform(0, 0.003), lambda: self._unasked(stray))

    def _second_answer(self, head: bytes, body: bytes) -> None:
        self._write(_whole(head, body))
        if self._evil:
            self._later(self._rng.uniform(0, 0.005), lambda: self._unasked(EVIL))

    def _close_after(self, head: bytes, body: bytes) -> None:
        self._write(_whole(head, body))
        self._later(self._rng.choice((0, self._rng.uniform(0, 0.005))), self._transport.close)

    def _reset_after(self, head: bytes, body: bytes) -> None:
        self._write(_whole(head, body))
        self._later(self._rng.uniform(0, 0.005), self._transport.abort)

    def _close_said(self, head: bytes, body: bytes) -> None:
        self._write(_whole(head + b"Connection: close\r\n", body))
        self._transport.close()

    def _half(self, head: bytes, body: bytes) -> None:
        whole = _whole(head, body)
        self._write(whole[: self._rng.randrange(1, len(whole))])
        self._transport.close()

    def _nothing(self, head: bytes, body: bytes) -> None:
        self._rng.choice((self._transport.close, self._transport.abort))()

    def _until_eof(self, head: bytes, body: bytes) -> None:
        self._write(b"HTTP/1.1 200 OK\r\n%b\r\n%b" % (head, body))
        self._transport.close()

    def _malformed(self, head: bytes, body: bytes) -> None:
        start = self._rng.choice(
            (b"HTTP/1.1 999 X", b"HTTP/2.0 200 OK", b"RTSP/1.0 200 OK", b"200")
        )
        self._write(start + b"\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body))


def _whole(head: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


Move = Callable[[Hostile, bytes, bytes], None]
MOVES: list[tuple[Move, float]] = [
    (Hostile._clean, 76),
    (Hostile._chunked, 5),
    (Hostile._interim, 2),
    (Hostile._in_pieces, 2),
    (Hostile._stray, 3),
    (Hostile._stray_later, 2),
    (Hostile._second_answer, 2),
    (Hostile._close_after, 2),
    (Hostile._reset_after, 1),
    (Hostile._close_said, 1),
    (Hostile._half, 1.5),
    (Hostile._nothing, 1.5),
    (Hostile._until_eof, 0.5),
    (Hostile._malformed, 0.5),
]
_WEIGHTS = [weight for _, weight in MOVES]


async def _serve(seed: int, evil: bool, pipe: Connection) -> None:
    executed, rng = Executed(), random.Random(seed)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: Hostile(executed, rng, evil=evil), "127.0.0.1", 0, backlog=1024
    )
    asked = asyncio.Event()
    loop.add_reader(pipe.fileno(), asked.set)
    pipe.send(server.sockets[0].getsockname()[1])
    await asked.wait()
    loop.remove_reader(pipe.fileno())
    os.set_blocking(pipe.fileno(), True)  # add_reader took that from it
    pipe.recv()
    pipe.send(executed)
    server.close()


def main(seed: int, evil: bool, pipe: Connection) -> None:
    """Entry point of the process: sends its port, and when asked what it executed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    uvloop.run(_serve(seed, evil, pipe))
