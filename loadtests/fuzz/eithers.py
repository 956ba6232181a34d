"""Requests that a careful server may take or refuse: ambiguous by design, or odd but legal.

Taken, they must arrive exactly as the reference reads them.
"""

from __future__ import annotations

import random

from loadtests.fuzz import limits
from loadtests.fuzz.draft import Draft, chunk

TARGETS: tuple[bytes, ...] = (
    b"/f/../x",
    b"/f/./x",
    b"/f//x",
    b"/f/%2e%2e/x",
    b"/f/%2Fx",
    b"/f/%zz",
    b"/f/%",
    b"/f/%00",
)
TARGETS += (b"/f/%0d%0aX:y", b"/f/a\\b", b"/f/{x}", b"/f/a|b", b"/f/`^`", b"/f/[x]", b"/f/%5c..")


def odd(rng: random.Random, draft: Draft) -> None:
    """Make a plain request odd in one way."""
    rng.choice(
        (
            _extension,
            _long_size,
            _zero_length,
            _cased_coding,
            _target,
            _port,
            _expect,
            _names,
            _near,
        )
    )(rng, draft)


def _extension(rng: random.Random, draft: Draft) -> None:
    size = rng.randrange(1, limits.CHUNK_EXTENSION_BYTES_MAX)
    draft.put_body("chunked", b"hello")
    extension = b";" + (b"name=" + limits.CANARY * 20)[: size - 1]
    draft.chunks = [chunk(b"hello", extension)]


def _long_size(rng: random.Random, draft: Draft) -> None:
    draft.put_body("chunked", b"hello")
    draft.chunks = [chunk(b"hello", size=b"0" * rng.randrange(1, 14) + b"5")]


def _zero_length(_rng: random.Random, draft: Draft) -> None:
    draft.framing = "none"
    draft.add(b"Content-Length", b"005")
    draft.body = b"hello"


def _cased_coding(_rng: random.Random, draft: Draft) -> None:
    draft.framing = "none"
    draft.add(b"Transfer-Encoding", b"Chunked")
    draft.body = b"5\r\nhello\r\n0\r\n\r\n"


def _target(rng: random.Random, draft: Draft) -> None:
    draft.target = rng.choice(TARGETS)


def _port(rng: random.Random, draft: Draft) -> None:
    draft.drop(b"host")
    draft.add(b"Host", rng.choice((b"localhost:", b"localhost:0", b"localhost:65536")))


def _expect(_rng: random.Random, draft: Draft) -> None:
    draft.version = b"HTTP/1.0"
    draft.add(b"Expect", b"100-continue")


def _names(rng: random.Random, draft: Draft) -> None:
    name, value = rng.choice(
        (
            (b"Trailer", b"X-Sum"),
            (b"Tidegate-Deadline-Ms", b"soon"),
            (b"Connection", b"content-length"),
        )
    )
    draft.add(name, value)


def _near(rng: random.Random, draft: Draft) -> None:
    """Close to the bound of the header block, on either side."""
    used = sum(len(b"".join(each)) + 2 for each in draft.headers)
    near = limits.HEADER_BYTES_MAX - used + rng.randrange(-100, 100)
    draft.add(b"X-Long", b"v" * near)
