"""One canonical HTTP message, whole and bounded; what the edges hand in and take out.

A header is a triple (key, name, value): `key` is the name in lower case for
every decision, `name` the spelling that travels on. Bodies are complete.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.model.phase import Phase

Header = tuple[bytes, bytes, bytes]
NEVER_STORED = (
    "cvv", "cvc", "cvv2", "cvc2", "cid", "track", "track1", "track2", "track_data", "pin",
    "pin_block",
)  # fmt: skip
"""Members of a message that card schemes forbid to keep after an authorisation."""

READABLE_CODINGS = frozenset((b"gzip", b"x-gzip", b"deflate"))
"""Content codings of answers that are looked into before they are stored."""


def header(name: bytes, value: bytes) -> Header:
    """A header triple from a name and a value."""
    return (name.lower(), name, value)


@dataclass(slots=True)
class Request:
    """An accepted request. `target` is origin-form (`/path?query`), `host` is without port.

    `arrived_at` is the monotonic instant at which its first byte was read.
    """

    method: bytes
    target: bytes
    host: bytes
    headers: list[Header]
    body: bytes
    arrived_at: float

    def first(self, key: bytes) -> bytes | None:
        """The first value under a lower-case key, or None."""
        for candidate, _, value in self.headers:
            if candidate == key:
                return value
        return None


@dataclass(slots=True)
class Response:
    """A complete response, of a partner or of our own making; framing is the edge's work.

    `labels` holds our own `Tidegate-*` headers as ready lines, each with its CRLF.
    """

    status: int
    headers: list[Header]
    body: bytes
    labels: bytes = b""


@dataclass(slots=True)
class Failure:
    """Why an exchange produced no answer.

    `sent` is the whole point of the house: False proves that no byte of the
    request was handed to a socket. `reason` is from a fixed vocabulary
    (docs/reasons.md), never text of the peer.
    """

    phase: Phase
    reason: str
    sent: bool
