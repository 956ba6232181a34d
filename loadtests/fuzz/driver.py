"""Sends cases to the sidecar over plain blocking sockets and judges what comes back."""

from __future__ import annotations

import socket
import struct

from loadtests.fuzz.generator import Case, Kind
from loadtests.fuzz.judge import Reply, Tally, ViolationError, judge
from loadtests.fuzz.reading import Accept

TIMEOUT_S = 20.0
"""Far above every deadline of the sidecar under test: silence so long is a violation."""
LINGER_NONE = struct.pack("ii", 1, 0)


class Wire:
    """One connection for one case. `receive` skips interim replies."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""

    def send(self, data: bytes) -> bool:
        """Send; False if the sidecar has closed, which its reply will explain."""
        try:
            self._socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            return False
        return True

    def half_close(self) -> None:
        """Say that nothing more comes; a connection already gone is as good."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError:
            return

    def hang_up(self, *, reset: bool) -> None:
        """End it: by RST, which leaves no port waiting, or by FIN as most clients do."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        self._socket.close()

    def receive(self, head: bool) -> Reply | None:
        """The next final reply, or None if the connection ended cleanly before it."""
        while True:
            reply = self._reply(head)
            if reply is None or reply.status >= 200:
                return reply

    def _reply(self, head: bool) -> Reply | None:
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if not self._more():
                if self._buffer:
                    raise ViolationError(f"ended inside a reply: {self._buffer!r}")
                return None
        lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        status = int(lines[0][9:12])
        bodyless = head or status < 200 or status in (204, 304)
        size = end + 4 + (0 if bodyless else int(headers.get("content-length", "0")))
        if head and "x-echo" not in headers and headers.get("connection") == "close":
            while self._more():
                size = len(self._buffer)  # refused before its method was known, so with a body
        while len(self._buffer) < size:
            if not self._more():
                raise ViolationError(f"reply cut short: {self._buffer!r}")
        raw, self._buffer = self._buffer[:size], self._buffer[size:]
        return Reply(status, headers, raw)

    def _more(self) -> bool:
        try:
            chunk = self._socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            chunk = b""
        except TimeoutError as error:
            raise ViolationError(f"silence for {TIMEOUT_S} s after {self._buffer!r}") from error
        self._buffer += chunk
        return bool(chunk)


def run_case(port: int, case: Case, tally: Tally) -> None:
    """Send one case and judge it; raises `ViolationError`."""
    tally.cases += 1
    wire = Wire(port)
    try:
        if case.kind is Kind.ABANDONED:
            _abandon(wire, case, tally)
        elif case.lockstep:
            _lockstep(wire, case, tally)
        else:
            for piece in case.pieces:
                if not wire.send(piece):
                    break
            if case.half_close:
                wire.half_close()
            judge(case, wire.receive, tally)
    finally:
        wire.hang_up(reset=case.index % 5 > 0)


def _lockstep(wire: Wire, case: Case, tally: Tally) -> None:
    """Each request waits for the answer to the one before it."""
    pending = iter(case.pieces)

    def receive(head: bool) -> Reply | None:
        piece = next(pending, None)
        if piece is not None:
            wire.send(piece)
        elif case.half_close:
            wire.half_close()
        return wire.receive(head)

    judge(case, receive, tally)


def _abandon(wire: Wire, case: Case, tally: Tally) -> None:
    """Send all and hang up unread: each request may reach the origin once, or not at all."""
    for piece in case.pieces:
        wire.send(piece)
    for reading in case.readings:
        tally.requests += 1
        if isinstance(reading, Accept) and reading.number is not None:
            tally.uncertain.add(reading.number)
