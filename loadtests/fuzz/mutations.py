"""Random damage to bytes: what the reference makes of the result is found out, not planned."""

from __future__ import annotations

import random

from loadtests.fuzz.limits import CANARY

TOKENS: tuple[bytes, ...] = (
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b"\t",
    b" ",
    b"_",
    b"\x80",
    b":",
    b" :",
    b"\x0b",
    b";",
    b",",
)
TOKENS += (b"Transfer-Encoding: chunked\r\n", b"Content-Length: 5\r\n", b"Host: evil.test\r\n")
TOKENS += (
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.0",
    b"HTTP/2.0",
    b"Connection: close\r\n",
    b"chunked",
)
TOKENS += (CANARY, b"GET /f HTTP/1.1\r\nHost: localhost\r\n\r\n", b"%00", b"#", b"?", b"5\r\n")


def mutate(rng: random.Random, data: bytes) -> bytes:
    """`data` with one to four small damages."""
    for _ in range(rng.randrange(1, 5)):
        data = rng.choice((_flip, _insert, _insert, _delete, _double, _swap, _replace))(rng, data)
    return data


def _flip(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) or 1)
    return data[:at] + bytes([rng.randrange(256)]) + data[at + 1 :]


def _insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(TOKENS) + data[at:]


def _replace(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    token = rng.choice(TOKENS)
    return data[:at] + token + data[at + len(token) :]


def _delete(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + data[at + rng.choice((1, 1, 2, 8)) :]


def _double(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    size = rng.choice((1, 2, 8, 40))
    return data[:at] + data[at : at + size] + data[at:]


def _swap(rng: random.Random, data: bytes) -> bytes:
    lines = data.split(b"\r\n")
    one, other = rng.randrange(len(lines)), rng.randrange(len(lines))
    lines[one], lines[other] = lines[other], lines[one]
    return b"\r\n".join(lines)
