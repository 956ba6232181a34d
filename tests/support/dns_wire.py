"""DNS messages as bytes (RFC 1035): just what a name server for tests must read and write."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterable
from dataclasses import dataclass

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5
KINDS = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "PTR": 12, "TXT": 16, "AAAA": 28}
_NAMES = {number: name for name, number in KINDS.items()}
_RESPONSE, _AUTHORITATIVE, _TRUNCATED, _RECURSION_WANTED, _RECURSION = (
    0x8000,
    0x0400,
    0x0200,
    0x0100,
    0x0080,
)


@dataclass(frozen=True, slots=True)
class Record:
    """A resource record of class IN; `data` is an address, or a name for CNAME."""

    name: str
    kind: str
    data: str
    ttl_s: int


@dataclass(frozen=True, slots=True)
class Question:
    """The one question of a query; `spelled` is the name as it was asked, `name` in lower case."""

    id: int
    flags: int
    spelled: str
    name: str
    kind: str
    raw: bytes
    """The question section as it came: names are echoed in the spelling of the asker."""


def read_question(message: bytes) -> Question:
    """The question of a query; raises ValueError for anything else."""
    if len(message) < 12:
        raise ValueError("shorter than a header")
    number, flags, questions = struct.unpack_from("!HHH", message)
    if flags & _RESPONSE or questions != 1:
        raise ValueError("not a query with one question")
    labels: list[str] = []
    position = 12
    while length := message[position]:
        if length > 63:
            raise ValueError("a compressed name in a question")
        labels.append(message[position + 1 : position + 1 + length].decode("ascii"))
        position += 1 + length
    kind, _ = struct.unpack_from("!HH", message, position + 1)
    spelled = ".".join(labels)
    raw = message[12 : position + 5]
    return Question(number, flags, spelled, spelled.lower(), _NAMES.get(kind, str(kind)), raw)


def write_answer(
    question: Question,
    rcode: int,
    records: Iterable[Record],
    *,
    truncated: bool = False,
    wrong_id: bool = False,
) -> bytes:
    """An answer to `question`; `truncated` has no records and says to come back over TCP."""
    listed = [] if truncated else list(records)
    flags = _RESPONSE | _AUTHORITATIVE | _RECURSION | (question.flags & _RECURSION_WANTED) | rcode
    if truncated:
        flags |= _TRUNCATED
    number = question.id ^ 0xFFFF if wrong_id else question.id
    head = struct.pack("!HHHHHH", number, flags, 1, len(listed), 0, 0)
    return head + question.raw + b"".join(_record(record) for record in listed)


def _record(record: Record) -> bytes:
    if record.kind == "CNAME":
        data = _name(record.data)
    else:
        data = ipaddress.ip_address(record.data).packed
    fixed = struct.pack("!HHIH", KINDS[record.kind], 1, record.ttl_s, len(data))
    return _name(record.name) + fixed + data


def _name(name: str) -> bytes:
    labels = [label.encode("ascii") for label in name.strip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
