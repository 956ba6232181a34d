"""A raw HTTP/1.1 client for tests: blocking, sends any bytes, reads replies strictly.

It never repairs anything: a reply that is not framed exactly is an error, and
so is a byte that was not asked for.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self

from tests.support.sidecar import Address

TIMEOUT_S = 10.0
BODYLESS = frozenset({204, 304})


class ReplyCutError(Exception):
    """The peer closed before a reply was complete; `got` is what had arrived."""

    def __init__(self, got: bytes) -> None:
        super().__init__(f"connection ended after {len(got)} bytes of a reply")
        self.got = got


@dataclass(frozen=True, slots=True)
class Reply:
    """One reply, complete. `raw` is every byte of it; header names are in lower case."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    raw: bytes

    def header(self, name: str) -> str | None:
        """The only value of a header, or None; two of a name are an error."""
        values = [value for key, value in self.headers if key == name.lower()]
        if len(values) > 1:
            raise AssertionError(f"{name} stands {len(values)} times")
        return values[0] if values else None

    @property
    def outcome(self) -> str | None:
        """What `Tidegate-Outcome` says."""
        return self.header("tidegate-outcome")

    @property
    def execution(self) -> str | None:
        """What `Tidegate-Execution` says."""
        return self.header("tidegate-execution")

    @property
    def problem(self) -> dict[str, Any]:
        """The members of a problem+json body; an error if it is not one."""
        assert self.header("content-type") == "application/problem+json"
        members = json.loads(self.body)
        assert isinstance(members, dict)
        return members


def request(
    method: str = "POST",
    target: str = "/",
    body: bytes | None = b"",
    headers: Sequence[tuple[str, str]] = (),
    *,
    host: str = "localhost",
) -> bytes:
    """A well-formed request with Content-Length; `body=None` leaves the length out."""
    lines = [f"{method} {target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in headers]
    if body is not None:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


class Client:
    """One connection to a sidecar; replies are read one by one, in order."""

    def __init__(self, address: Address, timeout_s: float = TIMEOUT_S) -> None:
        family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.settimeout(timeout_s)
        if family == socket.AF_INET:
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        try:
            self._socket.connect(address)
        except OSError:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, data: bytes) -> None:
        """Send every byte as it is."""
        self._socket.sendall(data)

    def half_close(self) -> None:
        """Say that nothing more will be sent; replies can still be read."""
        self._socket.shutdown(socket.SHUT_WR)

    def reset(self) -> None:
        """Hang up with a RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._socket.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def call(self, *arguments: Any, **keywords: Any) -> Reply:
        """Send one `request(...)` and read its reply."""
        data = request(*arguments, **keywords)
        self.send(data)
        return self.receive(head=data.startswith(b"HEAD "))

    def receive(self, *, head: bool = False) -> Reply:
        """Read one reply; an interim one is a reply of its own. `head`: no body follows."""
        block = self._take_until(b"\r\n\r\n")
        first, *lines = block[:-4].decode("latin-1").split("\r\n")
        version, code, _ = first.split(" ", 2)
        assert version == "HTTP/1.1"
        headers = tuple(_field(line) for line in lines)
        status = int(code)
        length = _length(headers)
        if head or status < 200 or status in BODYLESS:
            length = 0
        body = self._take(length)
        return Reply(status, headers, body, block + body)

    def at_end(self) -> bool:
        """Wait for the peer's close: True if no further byte came before it."""
        return self.rest() == b""

    def rest(self) -> bytes:
        """Everything up to the peer's close, be it a FIN or a RST."""
        while chunk := self._read():
            self._buffer += chunk
        rest, self._buffer = self._buffer, b""
        return rest

    def silent_for(self, seconds: float) -> bool:
        """Whether nothing arrives for so long and the connection stays open."""
        before = self._socket.gettimeout()
        self._socket.settimeout(seconds)
        try:
            self._buffer += self._socket.recv(65536)
        except TimeoutError:
            return self._buffer == b""
        finally:
            self._socket.settimeout(before)
        return False

    def _read(self) -> bytes:
        try:
            return self._socket.recv(65536)
        except (ConnectionResetError, BrokenPipeError):
            return b""

    def _take_until(self, mark: bytes) -> bytes:
        while (at := self._buffer.find(mark)) < 0:
            self._more()
        return self._take(at + len(mark))

    def _take(self, count: int) -> bytes:
        while len(self._buffer) < count:
            self._more()
        taken, self._buffer = self._buffer[:count], self._buffer[count:]
        return taken

    def _more(self) -> None:
        chunk = self._read()
        if not chunk:
            raise ReplyCutError(self._buffer)
        self._buffer += chunk


def _field(line: str) -> tuple[str, str]:
    name, separator, value = line.partition(":")
    assert separator
    assert name == name.strip()
    return name.lower(), value.strip(" \t")


def _length(headers: Sequence[tuple[str, str]]) -> int:
    """The sidecar always frames its replies by Content-Length; anything else is an error."""
    assert not [value for name, value in headers if name == "transfer-encoding"]
    lengths = [value for name, value in headers if name == "content-length"]
    assert len(lengths) <= 1
    return int(lengths[0]) if lengths else 0
