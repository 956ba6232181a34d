"""One connection of a scripted origin: reads requests with h11, sends whatever bytes it is told.

What a test sees of a request is thus an independent reading of what the
sidecar sent.
"""

from __future__ import annotations

import socket
import ssl
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import h11

TIMEOUT_S = 10.0
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True, slots=True)
class Received:
    """One request as the origin read it; header names are in lower case."""

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header, or None; two of a name are an error."""
        values = self.all(name)
        if len(values) > 1:
            raise AssertionError(f"{name} stands {len(values)} times")
        return values[0] if values else None

    def all(self, name: str) -> list[str]:
        """Every value of a header, in order."""
        return [value for key, value in self.headers if key == name.lower()]


class GoneError(Exception):
    """The sidecar closed or reset the connection; `got` is what had arrived of a request."""

    def __init__(self, got: bytes, *, reset: bool) -> None:
        super().__init__("the sidecar ended the connection")
        self.got = got
        self.reset = reset


Script = Callable[["Peer"], None]


class Peer:
    """One connection, as its script sees it. `number` counts the origin's connections from 1.

    `note` is told each whole request.
    """

    def __init__(
        self, connection: socket.socket, number: int, note: Callable[[Received], None]
    ) -> None:
        self._note = note
        self.socket = connection
        self.number = number
        self.buffer = b""

    def read_request(self) -> Received:
        """The next whole request, raises `GoneError`."""
        parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
        raw = self.buffer
        if raw:
            parser.receive_data(raw)  # an empty piece would mean the end
        head: h11.Request | None = None
        body = b""
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                chunk = self._read(raw)
                raw += chunk
                parser.receive_data(chunk)
            elif isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            else:
                assert isinstance(event, h11.EndOfMessage)
                break
        assert head is not None
        self.buffer = parser.trailing_data[0]
        received = _received(head, body, raw[: len(raw) - len(self.buffer)])
        self._note(received)
        return received

    def read_some(self) -> bytes:
        """Whatever comes next, raw; raises `GoneError`."""
        return self._read(b"")

    def send(self, *pieces: bytes) -> None:
        """Send bytes as they are, each piece by its own `send`; a hung-up peer is not an error."""
        try:
            for piece in pieces:
                self.socket.sendall(piece)
        except (ConnectionResetError, BrokenPipeError, ssl.SSLError):
            return

    def half_close(self) -> None:
        """FIN, while still reading."""
        self.socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        """FIN (and RST if unread bytes are left)."""
        self.socket.close()

    def reset(self) -> None:
        """RST."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()

    def wait_closed(self, timeout_s: float = TIMEOUT_S) -> bytes:
        """Wait until the sidecar ends the connection; returns the bytes that came before."""
        self.socket.settimeout(timeout_s)
        got = b""
        try:
            while True:
                got += self._read(got)
        except GoneError:
            return got

    def _read(self, before: bytes) -> bytes:
        try:
            chunk = self.socket.recv(65536)
        except (ConnectionResetError, ssl.SSLError) as error:
            raise GoneError(before, reset=True) from error
        if not chunk:
            raise GoneError(before, reset=False)
        return chunk


def _received(head: h11.Request, body: bytes, raw: bytes) -> Received:
    headers = tuple((name.decode(), value.decode("latin-1")) for name, value in head.headers)
    return Received(head.method.decode(), head.target.decode(), headers, body, raw)


def answer(
    status: int = 200,
    body: bytes = b"ok",
    headers: Sequence[tuple[str, str]] = (),
    *,
    reason: str = "Status",
) -> bytes:
    """A well-formed answer with Content-Length."""
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def always(*pieces: bytes) -> Script:
    """A script that answers every request of a connection with the same bytes."""

    def script(peer: Peer) -> None:
        while True:
            peer.read_request()
            peer.send(*pieces)

    return script
