"""What the name server for tests says, and what it was asked."""

from __future__ import annotations

from dataclasses import dataclass

from tests.support import dns_wire as wire


@dataclass(frozen=True, slots=True)
class Answer:
    """What is said to a question. `data` holds addresses, or the one name of a CNAME."""

    data: tuple[str, ...] = ()
    ttl_s: int = 60
    rcode: int = wire.NOERROR
    silent: bool = False
    """Nothing is said at all."""
    loss: float = 0.0
    """The share of questions to which nothing is said, by chance from the server's seed."""
    truncate_udp: bool = False
    """Over UDP only that there is more; the whole over TCP."""
    delay_s: float = 0.0
    wrong_id: bool = False
    garbage: bytes | None = None
    """These bytes are sent in place of a message."""


EMPTY = Answer()

NXDOMAIN = Answer(rcode=wire.NXDOMAIN)

SERVFAIL = Answer(rcode=wire.SERVFAIL)

REFUSED = Answer(rcode=wire.REFUSED)

SILENT = Answer(silent=True)


def addresses(*data: str, ttl_s: int = 60) -> Answer:
    """These addresses, in this order."""
    return Answer(data, ttl_s)


def alias(target: str, ttl_s: int = 60) -> Answer:
    """For type CNAME: the name is another's."""
    return Answer((target,), ttl_s)


@dataclass(frozen=True, slots=True)
class Query:
    """One question that came; `at` is monotonic seconds, `spelled` the name as it was asked."""

    name: str
    kind: str
    transport: str
    at: float
    spelled: str
