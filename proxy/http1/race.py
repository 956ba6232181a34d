"""The first of several addresses that accepts a connection (happy eyeballs, RFC 8305).

Attempts begin 250 ms apart, or at once when the latest one failed, and run side
by side until one of them stands. They are sockets of which the loop is asked to
tell when they are connected: a single address costs no task, and one timer.

What stays true: each socket is in `_going`, is the winner, or is closed. Whoever
leaves `run` without the winner has closed it and all others. Callbacks look at
`_over` first: it is done as soon as the race is decided, or the caller cancelled.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, zip_longest
from typing import Final

from proxy.http1.dial import OURS, Sources, connect_reason
from proxy.http1.dial import dial as _dial

Address = tuple[socket.AddressFamily, str]
Tell = Callable[[str, bool], None]
"""(address, whether it accepted), for each attempt that ended by itself, or was overtaken.

Overtaken: silent for a while, when an address that was begun later accepted.
"""

APART_S: Final = 0.25
"""RFC 8305, section 5; less when the time would not reach all addresses."""
_SILENT_S: Final = 0.2
"""Silence that tells against an address. One that was begun shortly before the end may be well."""


def interleaved(addresses: Sequence[Address]) -> Sequence[Address]:
    """The families in turn, that of the first address first; each in its own order."""
    first = [each for each in addresses if each[0] == addresses[0][0]]
    if len(first) == len(addresses):
        return addresses
    others = [each for each in addresses if each[0] != addresses[0][0]]
    return [each for each in chain(*zip_longest(first, others)) if each is not None]


@dataclass(frozen=True, slots=True)
class _Attempt:
    number: int
    address: str
    socket: socket.socket
    begun_at: float


class Race:
    """One connection to one of `addresses`, of which there is at least one.

    With `sources`, connections come from those addresses and no others; addresses of a
    family without one are left out.
    """

    def __init__(
        self,
        addresses: Sequence[Address],
        port: int,
        tell: Tell | None = None,
        sources: Sources | None = None,
    ) -> None:
        self._sources = sources
        self._loop = asyncio.get_running_loop()
        ours = [each for each in addresses if sources and each[0] in sources]
        self._left = deque(enumerate(interleaved(ours or addresses)))
        self._port = port
        self._tell = tell
        self._going: dict[int, _Attempt] = {}
        """By descriptor."""
        self._latest = 0
        self._reasons: list[tuple[int, str]] = []
        self._winner: socket.socket | None = None
        self._over: asyncio.Future[None] = self._loop.create_future()
        self._apart_s = APART_S
        self._silent_s = _SILENT_S
        self._next: asyncio.TimerHandle | None = None

    async def run(self, within_s: float, patience_s: float) -> socket.socket | str:
        """The connected socket, or why there is none.

        `within_s` is the time that is left for it. `patience_s` is the time that a connection
        may take at all: when less is left, silence says nothing about an address.
        """
        self._apart_s = min(APART_S, within_s / len(self._left))
        self._silent_s = min(_SILENT_S, 0.5 * patience_s / len(self._left))
        try:
            self._begin_next()
            if not self._over.done():
                limit = self._loop.call_later(within_s, self._time_is_up)
                try:
                    await self._over
                finally:
                    limit.cancel()
        except BaseException:
            if self._winner is not None:
                self._winner.close()
            raise
        finally:
            self._abandon()
        return self._reason() if self._winner is None else self._winner

    def _begin_next(self) -> None:
        """Begin with the next address, and go on to those behind it while they fail at once."""
        if self._over.done():
            return
        if self._next is not None:
            self._next.cancel()
            self._next = None
        begun = False
        while self._left and not begun:
            self._latest, (family, address) = self._left.popleft()
            begun = self._begin(family, address)
        if self._left:
            self._next = self._loop.call_later(self._apart_s, self._begin_next)
        elif not self._going and self._winner is None:
            self._over.set_result(None)

    def _begin(self, family: socket.AddressFamily, address: str) -> bool:
        """Whether an attempt is on its way, or has won already."""
        try:
            connecting, connected = _dial(family, address, self._port, self._sources)
        except OSError as error:
            self._failed(self._latest, address, connect_reason(error))
            return False
        attempt = _Attempt(self._latest, address, connecting, self._loop.time())
        if connected:
            self._won(attempt)
        else:
            descriptor = connecting.fileno()
            self._going[descriptor] = attempt
            self._loop.add_writer(descriptor, self._decided, descriptor)
        return True

    def _decided(self, descriptor: int) -> None:
        """The kernel knows whether the connection stands."""
        if self._over.done():
            return
        attempt = self._going.pop(descriptor)
        self._loop.remove_writer(descriptor)
        code = attempt.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code == 0:
            self._won(attempt)
            return
        attempt.socket.close()
        self._failed(attempt.number, attempt.address, connect_reason(OSError(code, "connect")))
        if attempt.number == self._latest or not self._going:
            self._begin_next()

    def _won(self, attempt: _Attempt) -> None:
        overtaken = [each for each in self._silent() if each.number < attempt.number]
        self._winner = attempt.socket
        self._abandon()
        self._over.set_result(None)
        for each in overtaken:
            self._failed(each.number, each.address, "timeout")
        if self._tell is not None:
            self._tell(attempt.address, True)

    def _failed(self, number: int, address: str, reason: str) -> None:
        self._reasons.append((number, reason))
        if self._tell is not None and reason not in OURS:
            self._tell(address, False)

    def _time_is_up(self) -> None:
        if self._over.done():
            return
        silent = self._silent()
        self._abandon()
        self._over.set_result(None)
        for attempt in silent:
            self._failed(attempt.number, attempt.address, "timeout")

    def _silent(self) -> list[_Attempt]:
        """Those of which nothing was heard for long enough."""
        begun_before = self._loop.time() - self._silent_s
        return [each for each in self._going.values() if each.begun_at <= begun_before]

    def _abandon(self) -> None:
        """Close all attempts that are on their way, and begin no more."""
        self._left.clear()
        if self._next is not None:
            self._next.cancel()
        for descriptor, attempt in self._going.items():
            self._loop.remove_writer(descriptor)
            attempt.socket.close()
        self._going.clear()

    def _reason(self) -> str:
        """That of the first address which has one that tells more than its silence."""
        telling = [reason for _, reason in sorted(self._reasons) if reason != "timeout"]
        return telling[0] if telling else "timeout"
