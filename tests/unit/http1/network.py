"""A network for races: it is told when each address accepts or fails, in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any
from unittest import mock

from proxy.http1 import race
from proxy.http1.race import Address, Race
from tests.unit.http1.fakes import START, VirtualLoop

ACCEPTS, REFUSES, UNREACHABLE = 0, errno.ECONNREFUSED, errno.EHOSTUNREACH
NEVER = 1e9
Fate = tuple[float, int]
"""After how many seconds, and how: ACCEPTS or the number of an error; at once if negative."""
AT_ONCE = -1.0
SILENT: Fate = (NEVER, REFUSES)
A, B, C = "198.51.100.0", "198.51.100.1", "198.51.100.2"


def family_of(address: str) -> socket.AddressFamily:
    """By its look."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


class Dialled:
    """A socket that becomes writable when its fate is decided."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.code = ACCEPTS
        self.closed = False
        self._near, self._far = socket.socketpair()
        self._near.setblocking(False)
        self._far.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while True:
                self._near.send(bytes(65536))

    def decide(self, code: int) -> None:
        """The kernel knows."""
        self.code = code
        with contextlib.suppress(OSError):
            while self._far.recv(1 << 20):
                pass

    def fileno(self) -> int:
        assert not self.closed
        return self._near.fileno()

    def getsockopt(self, level: int, option: int) -> int:
        assert (level, option) == (socket.SOL_SOCKET, socket.SO_ERROR)
        return self.code

    def close(self) -> None:
        self.closed = True
        self._near.close()
        self._far.close()


class Network:
    """Knows the fate of each address, and keeps what was dialled, when and what was told."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.fates: dict[str, Fate] = {}
        self.begun: list[tuple[str, float]] = []
        self.dialled: list[Dialled] = []
        self.told: list[tuple[str, bool]] = []
        self.deciding: list[asyncio.TimerHandle] = []

    @contextlib.contextmanager
    def connecting(self) -> Iterator[Network]:
        """Races take place here instead of on the network."""
        with mock.patch.object(race, "_dial", self._dial):
            try:
                yield self
            finally:
                for each in self.dialled:
                    each.close()

    def _dial(self, family: socket.AddressFamily, address: str, port: int, sources: None) -> Any:
        assert family == family_of(address)
        assert port == 443
        after_s, code = self.fates[address]
        self.begun.append((address, round(self.loop.time() - START, 6)))
        if after_s < 0 and code:
            raise OSError(code, os.strerror(code))
        dialled = Dialled(address)
        self.dialled.append(dialled)
        if 0 <= after_s < NEVER:
            self.deciding.append(self.loop.call_later(after_s, dialled.decide, code))
        return dialled, after_s < 0

    def race(self, **fates: Fate) -> Race:
        """A race between a, b, c ...; capitals are of IPv6."""
        named: dict[str, Fate] = {}
        for name, fate in fates.items():
            number = ord(name.lower()) - ord("a")
            named[f"2a00::{number}" if name.isupper() else f"198.51.100.{number}"] = fate
        self.fates.update(named)
        found: Sequence[Address] = [(family_of(each), each) for each in named]
        return Race(found, 443, lambda address, stands: self.told.append((address, stands)))

    def open(self) -> list[str]:
        """Addresses with an open socket."""
        return [each.address for each in self.dialled if not each.closed]

    def start(
        self, within_s: float = 3.0, patience_s: float = 3.0, **fates: Fate
    ) -> asyncio.Task[Any]:
        """Begin a race, as far as it gets by itself."""

        async def run() -> Any:
            ended = await self.race(**fates).run(within_s, patience_s)
            return ended if isinstance(ended, str) else (ended.address, self.elapsed())  # type: ignore[attr-defined]

        task: asyncio.Task[Any] = self.loop.create_task(run())
        if isinstance(self.loop, VirtualLoop):
            self.loop.settle()
        return task

    def elapsed(self) -> float:
        """Virtual seconds."""
        return round(self.loop.time() - START, 6)

    def finish(self, task: asyncio.Task[Any], step_s: float = 0.05) -> Any:
        """Let time pass until it is decided."""
        assert isinstance(self.loop, VirtualLoop)
        while not task.done():
            assert self.elapsed() < 60
            self.loop.advance(step_s)
        return task.result()
