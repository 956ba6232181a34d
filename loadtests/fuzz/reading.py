"""What a stream of bytes means: the verdicts the reference gives, one per request, in order."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

from loadtests.fuzz.limits import CASE_HEADER, SUBS_MAX

UNCOMPARED = frozenset({b"host", b"content-length", b"traceparent"})
"""Set by the proxy itself; the origin checks them for what they must be."""


@dataclass(frozen=True, slots=True)
class Accept:
    """Must be forwarded exactly so. `headers` have lower-case names, hop-by-hop ones are gone.

    `closes`: whether the connection ends after the answer; None leaves it open.
    `number` identifies the request (see `case_number`); None if its header was lost.
    """

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    closes: bool | None
    number: int | None


@dataclass(frozen=True, slots=True)
class Refuse:
    """Must be answered with one of these statuses and never forwarded.

    `closes` false: well-formed but unwelcome (no route, wrong host ...), so that
    the connection may live on.
    """

    statuses: frozenset[int]
    closes: bool


@dataclass(frozen=True, slots=True)
class Either:
    """Ambiguous by design: forwarded exactly as `accept`, or refused."""

    accept: Accept


@dataclass(frozen=True, slots=True)
class Incomplete:
    """The stream ends inside this request: refused or hung up on, never forwarded."""


Reading = Accept | Refuse | Either | Incomplete


def digest(
    method: bytes, target: bytes, headers: Iterable[tuple[bytes, bytes]], body: bytes
) -> str:
    """One short text for everything that must arrive unchanged."""
    state = hashlib.blake2b(digest_size=16)
    for part in (method, target):
        state.update(b"%d:%b" % (len(part), part))
    for name, value in headers:
        if name not in UNCOMPARED:
            state.update(b"%d:%b=%d:%b" % (len(name), name, len(value), value))
    state.update(b"|%d:" % len(body))
    state.update(body)
    return state.hexdigest()


def case_value(index: int, sub: int) -> bytes:
    """The header value that names request `sub` of stream `index`; a damaged one does not parse."""
    number = index * SUBS_MAX + sub
    return b"%d-%08x" % (number, zlib.crc32(b"%d" % number))


def case_number(headers: Iterable[tuple[bytes, bytes]]) -> int | None:
    """The number from the one case header; None if missing, doubled or damaged."""
    values = [value for name, value in headers if name == CASE_HEADER]
    if len(values) != 1:
        return None
    number, _, check = values[0].partition(b"-")
    if not number.isdigit() or b"%08x" % zlib.crc32(number) != check:
        return None
    return int(number)
