"""The calls of a training: what an application sends, and what it has to be answered.

A caller has one kept connection and sends a call as most clients do, in one piece. Every
answer is looked at: a training that got other answers than it meant to has trained other code.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse

from tools.train_house import TrainingError

TIMEOUT_S = 30.0
STILL_IN_DOUBT = (409, 502)
"""What a repetition is answered, besides, while its call is in doubt: not sent, or sent in vain."""
_CHUNK_BYTES = 100


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of call."""

    name: str
    path: str
    status: int = 200
    method: str = "POST"
    amount: int = 4200
    """Its last two digits decide what the partner does; docs/sandbox.md has the table."""
    keyed: bool = True
    note_bytes: int = 0
    chunked: bool = False
    again: bool = False
    """Sent twice under one key: the second is answered from the journal."""

    def body(self, reference: str) -> bytes:
        """What is sent as JSON, in the words of all partners."""
        members = {
            "amount": self.amount, "currency": "EUR", "reference": reference,
            "merchantReference": reference, "note": "x" * self.note_bytes,
            "card": {"number": "4111111111111111", "scheme": "visa"},
        }  # fmt: skip
        return json.dumps(members).encode() if self.method == "POST" else b""

    def request(self, reference: str) -> bytes:
        """The whole request; `reference` is its key, too."""
        lines = [
            f"{self.method} {self.path.format(reference=reference)} HTTP/1.1", "Host: localhost",
            "Accept: application/json", "User-Agent: shop/1.0",
        ]  # fmt: skip
        body = self.body(reference)
        if self.keyed:
            lines.append(f"Idempotency-Key: {reference}")
        if body:
            lines.append("Content-Type: application/json")
            lines.append(
                "Transfer-Encoding: chunked" if self.chunked else f"Content-Length: {len(body)}"
            )
        return "\r\n".join([*lines, "", ""]).encode() + (_chunks(body) if self.chunked else body)


def _chunks(body: bytes) -> bytes:
    pieces = [body[at : at + _CHUNK_BYTES] for at in range(0, len(body), _CHUNK_BYTES)]
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])


CHARGES = "/processor/v1/charges"
CHARGE = Kind("a charge with a key", CHARGES)
PLAIN = Kind("a charge without a key", CHARGES, keyed=False)
AUTHENTICATION = Kind("an authentication", "/threeds/3ds/authenticate", keyed=False)
_OTHERS = (
    Kind("a repetition", CHARGES, again=True),
    PLAIN,
    Kind("a decline", CHARGES, 402, amount=4251),
    Kind("an inquiry", CHARGES + "?reference={reference}", method="GET", keyed=False),
    Kind("an acquirer's payment", "/acquirer/payments"),
    AUTHENTICATION,
    Kind("a large body", CHARGES, note_bytes=20_000),
    Kind("a body in chunks", CHARGES, chunked=True),
)
MIXTURE = tuple(kind for other in _OTHERS for kind in (CHARGE, CHARGE, other))
"""In this order, over and over: two of three are what matters most."""


@dataclass(slots=True)
class Reply:
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Caller:
    """One connection of the application; `name` is the beginning of its keys."""

    name: str
    connection: socket.socket
    _sent: int = field(default=0)

    def call(self, kind: Kind, *also: int) -> Reply:
        """One call, as it has to go; its status may be one of `also`. Raises TrainingError."""
        self._sent += 1
        data = kind.request(f"{self.name}-{self._sent}")
        reply = self._told(kind, data, also)
        if kind.again and reply.status != kind.status:
            reply = self._told(kind, data, (*also, *STILL_IN_DOUBT))
        elif kind.again:
            reply = self._told(kind, data, ())
            if reply.headers.get("tidegate-replayed") != "true":
                raise TrainingError(f"{kind.name} was not answered from the journal")
        return reply

    def _told(self, kind: Kind, data: bytes, also: tuple[int, ...]) -> Reply:
        reply = self.ask(data, kind.name)
        if reply.status not in (kind.status, *also):
            wanted = " or ".join(map(str, (kind.status, *also)))
            raise TrainingError(
                f"{kind.name} was answered {reply.status}, not {wanted}: {reply.body[:300]!r}"
            )
        return reply

    def ask(self, data: bytes, what: str) -> Reply:
        """Sends a request and reads its answer whole."""
        try:
            self.connection.sendall(data)
            with HTTPResponse(self.connection) as answer:
                answer.begin()
                headers = {name.lower(): value for name, value in answer.getheaders()}
                return Reply(answer.status, headers, answer.read())
        except (OSError, HTTPException) as problem:
            raise TrainingError(f"{what} was not answered: {problem!r}") from problem


@contextmanager
def calling(name: str, address: tuple[str, int]) -> Iterator[Caller]:
    """A caller with a connection to the sidecar. Raises TrainingError when there is none."""
    try:
        connection = socket.create_connection(address, TIMEOUT_S)
    except OSError as problem:
        raise TrainingError(f"the sidecar takes no connection: {problem}") from problem
    with connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        yield Caller(name, connection)
