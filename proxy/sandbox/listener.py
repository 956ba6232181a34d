"""The partner's listening socket, which can refuse and can swallow.

    open        accepts
    refused     no listening socket: the kernel answers SYN with RST
    blackholed  listens with a backlog of 0, filled by our own connects: the
                kernel drops every further SYN without a word

The port is held by a second socket that is bound and never listens, so that no
other process takes it while refused. The holder is bound before it allows
sharing (SO_REUSEPORT), so a second partner on the same port still fails; and
it takes SO_REUSEADDR back, or anybody with that option could bind beside it.
"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket
import ssl
from collections.abc import Callable

HOST = "127.0.0.1"
"""Where a partner listens unless it is told another address of the loopback interface."""
_ACCEPTS_PER_TURN = 64
_FILLERS = 4
_PAUSE_S = 0.1
"""Without descriptors left, accepting pauses this long instead of spinning."""


class BlackholeError(Exception):
    """This system goes on accepting with a full backlog, so the fault cannot be made."""


class Listener:
    """One port of one address. `adopt` makes the protocol of an accepted connection."""

    def __init__(
        self,
        port: int,
        backlog: int,
        adopt: Callable[[], asyncio.Protocol],
        tls: ssl.SSLContext | None,
        on_failed_handshake: Callable[[], None],
        host: str = HOST,
    ) -> None:
        self._host = host
        self._holder = socket.socket()
        try:
            self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._holder.bind((host, port))
        except OSError:
            self._holder.close()
            raise
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
        self._holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self.port: int = self._holder.getsockname()[1]
        self._backlog = backlog
        self._adopt = adopt
        self._tls = tls
        self._on_failed_handshake = on_failed_handshake
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._fillers: list[socket.socket] = []
        self._adoptions: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        """Accept, whatever the state before."""
        if self._fillers:
            self._drain_fillers()
        if self._socket is None:
            self._socket = self._listening(self._backlog)
        self._loop.add_reader(self._socket, self._accept)

    def refuse(self) -> None:
        """Refuse every connect from now on."""
        self._drop_fillers()
        if self._socket is not None:
            self._loop.remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def blackhole(self) -> None:
        """Drop every SYN from now on; raises BlackholeError where that does not work."""
        if self._fillers:
            return
        if self._socket is None:
            self._socket = self._listening(0)
        self._loop.remove_reader(self._socket)
        self._socket.listen(0)
        for _ in range(_FILLERS):
            filler = socket.socket()
            filler.setblocking(False)
            self._fillers.append(filler)
            with contextlib.suppress(BlockingIOError):
                filler.connect((self._host, self.port))
        if select.select([], [self._fillers[-1]], [], 0)[1]:
            self.open()
            raise BlackholeError("the kernel still accepts connections beyond a backlog of 0")

    def close(self) -> None:
        """Give the port back."""
        self.refuse()
        self._holder.close()

    def _listening(self, backlog: int) -> socket.socket:
        listening = socket.socket()
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            listening.setsockopt(socket.SOL_SOCKET, option, 1)
        listening.setblocking(False)
        listening.bind((self._host, self.port))
        listening.listen(backlog)
        return listening

    def _drain_fillers(self) -> None:
        """Close the fillers, and those of them that were already in the backlog."""
        ours = {filler.getsockname() for filler in self._fillers}
        self._drop_fillers()
        if self._socket is not None:
            self._socket.listen(self._backlog)
            self._accept(ours)

    def _drop_fillers(self) -> None:
        for filler in self._fillers:
            filler.close()
        self._fillers = []

    def _accept(self, ours: set[tuple[str, int]] | None = None) -> None:
        """Take what waits in the backlog, except our own fillers."""
        for _ in range(_ACCEPTS_PER_TURN):
            if self._socket is None:
                return
            try:
                accepted, peer = self._socket.accept()
            except BlockingIOError:
                return
            except ConnectionError:
                continue
            except OSError:
                self._pause()
                return
            if ours and peer in ours:
                accepted.close()
                continue
            task = self._loop.create_task(self._take(accepted))
            self._adoptions.add(task)
            task.add_done_callback(self._adoptions.discard)

    def _pause(self) -> None:
        """No descriptor is left: look again in a while."""
        if (listening := self._socket) is None:
            return
        self._loop.remove_reader(listening)

        def again() -> None:
            if self._socket is listening and not self._fillers:
                self._loop.add_reader(listening, self._accept)

        self._loop.call_later(_PAUSE_S, again)

    async def _take(self, accepted: socket.socket) -> None:
        """Make a connection of an accepted socket; with TLS that includes the handshake."""
        accepted.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._adopt, accepted, ssl=self._tls)
        except (OSError, ssl.SSLError):
            self._on_failed_handshake()
            accepted.close()
