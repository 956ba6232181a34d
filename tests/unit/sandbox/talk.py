"""Talks to a partner by raw sockets: tests see every byte and every way a connection ends."""

from __future__ import annotations

import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from typing import Any

WAIT_S = 10.0
"""Patience with a busy machine; a passing test never uses it up."""

CHARGE = {
    "amount": 1000,
    "currency": "EUR",
    "card": {"number": "4111111111111111", "scheme": "visa"},
}


def connect(port: int, tls: ssl.SSLContext | None = None) -> socket.socket:
    """A connection to a partner."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=WAIT_S)
    return plain if tls is None else tls.wrap_socket(plain, server_hostname="localhost")


def request(
    body: Mapping[str, Any] | None = None,
    *,
    method: str = "POST",
    path: str = "/v1/charges",
    nonce: str | None = None,
    key: str | None = None,
) -> bytes:
    """The bytes of a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: partner", f"Content-Length: {len(content)}"]
    lines += [f"Sandbox-Nonce: {nonce}"] if nonce is not None else []
    lines += [f"Idempotency-Key: {key}"] if key is not None else []
    return "\r\n".join([*lines, "", ""]).encode() + content


def charge(reference: str, **members: Any) -> dict[str, Any]:
    """The body of a charge."""
    return {**CHARGE, "reference": reference, **members}


class Answer:
    """An answer framed by its length; whatever came after it is in `beyond`."""

    def __init__(self, raw: bytes) -> None:
        head, _, rest = raw.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        pairs = [line.split(": ", 1) for line in lines[1:]]
        self.headers = {name.lower(): value for name, value in pairs}
        self.length = int(self.headers.get("content-length", "0"))
        self.raw_body, self.beyond = rest[: self.length], rest[self.length :]

    @property
    def body(self) -> dict[str, Any]:
        """The body, which must be a JSON object."""
        found = json.loads(self.raw_body)
        assert isinstance(found, dict)
        return found


def read_answer(peer: socket.socket) -> Answer:
    """Read until an answer is complete by its Content-Length."""
    raw = b""
    while b"\r\n\r\n" not in raw or len(Answer(raw).raw_body) < Answer(raw).length:
        piece = peer.recv(65536)
        if not piece:
            raise ConnectionError(f"closed after {len(raw)} bytes")
        raw += piece
    return Answer(raw)


def read_to_end(peer: socket.socket) -> tuple[bytes, str]:
    """All that comes, and how it ends: `fin` or `rst`."""
    raw = b""
    while True:
        try:
            piece = peer.recv(65536)
        except ConnectionResetError:
            return raw, "rst"
        if not piece:
            return raw, "fin"
        raw += piece


def is_silent(peer: socket.socket, for_s: float = 0.1) -> bool:
    """Whether nothing comes, neither bytes nor an end, for a moment."""
    peer.settimeout(for_s)
    try:
        return peer.recv(1, socket.MSG_PEEK) is None
    except TimeoutError:
        return True
    finally:
        peer.settimeout(WAIT_S)


def ask(port: int, *arguments: Any, **named: Any) -> Answer:
    """One request on a connection of its own."""
    with connect(port) as peer:
        peer.sendall(request(*arguments, **named))
        return read_answer(peer)


def eventually(rows: Callable[[], list[str]], expected: list[str]) -> bool:
    """Whether the ledger comes to this; for what is executed after the peer has gone."""
    deadline = time.monotonic() + WAIT_S
    while rows() != expected and time.monotonic() < deadline:
        time.sleep(0.01)
    return rows() == expected
