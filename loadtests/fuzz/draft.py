"""A request before it is bytes, and the making of valid ones from a seeded generator."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from loadtests.fuzz import limits
from loadtests.fuzz.reading import case_value

SEGMENT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~!$&'()*+,;=:@"
VALUE = "".join(map(chr, range(0x20, 0x7F))) + "\t"
NAMES: tuple[str, ...] = (
    "Accept",
    "User-Agent",
    "Content-Type",
    "Authorization",
    "Idempotency-Key",
    "X-Merchant",
)
NAMES += ("Cookie", "Accept-Encoding", "X-Forwarded-For", "X!#$%&'*+-.^`|~9", "Prefer", "X-Empty")
HOP_BY_HOP = (
    [("Connection", "keep-alive"), ("Keep-Alive", "timeout=5")],
    [("Connection", "X-Private, x-other"), ("X-Private", "1"), ("X-OTHER", "2")],
    [("Connection", "Upgrade, HTTP2-Settings"), ("Upgrade", "h2c"), ("HTTP2-Settings", "AAMAAABk")],
    [("TE", "trailers"), ("Proxy-Connection", "keep-alive")],
    [("Tidegate-Deadline-Ms", "9000"), ("Tidegate-Anything", "x")],
    [("Expect", "100-continue")],
)


@dataclass(slots=True)
class Draft:
    """The parts of a request; each header is name, separator (with its white space) and value.

    `framing` is `none`, `length` or `chunked`.
    """

    method: bytes
    target: bytes
    version: bytes
    headers: list[tuple[bytes, bytes, bytes]]
    body: bytes
    framing: str
    chunks: list[bytes] = field(default_factory=list)
    last_chunk: bytes = b"0\r\n\r\n"

    def render(self) -> bytes:
        """The bytes that go out."""
        lines = [b" ".join((self.method, self.target, self.version))]
        lines += [b"".join(header) for header in self.headers]
        body = self.body
        if self.framing == "length":
            lines.append(b"Content-Length: %d" % len(body))
        elif self.framing == "chunked":
            lines.append(b"Transfer-Encoding: chunked")
            body = b"".join(self.chunks) + self.last_chunk
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def add(self, name: bytes, value: bytes, separator: bytes = b": ") -> None:
        """Append a header."""
        self.headers.append((name, separator, value))

    def drop(self, name: bytes) -> None:
        """Take every header of that name away."""
        self.headers = [each for each in self.headers if each[0].lower() != name]

    def put_body(self, framing: str, body: bytes = b"{}") -> None:
        """Give it this body, by length or as one chunk."""
        self.framing, self.body = framing, body
        self.chunks = [chunk(body)] if body else []


def chunk(data: bytes, extension: bytes = b"", size: bytes | None = None) -> bytes:
    """One chunk; `size` overrides the honest one."""
    return b"%b%b\r\n%b\r\n" % (size or b"%x" % len(data), extension, data)


def valid(rng: random.Random, index: int, sub: int) -> Draft:
    """A request that must be forwarded, named by stream `index` and its place `sub`."""
    draft = Draft(rng.choice(limits.METHODS), _target(rng), b"HTTP/1.1", [], b"", "none")
    host = rng.choice(limits.HOSTS)
    if rng.random() < 0.2:
        host += b":%d" % rng.randrange(1, 65536)
    if rng.random() < 0.05:
        draft.target = b"http://" + host + draft.target
    draft.add(_cased(rng, "host"), host, rng.choice((b": ", b":", b":\t ")))
    for _ in range(rng.randrange(6)):
        draft.add(_cased(rng, rng.choice(NAMES)), *_value(rng))
    if rng.random() < 0.25:
        for name, value in rng.choice(HOP_BY_HOP):
            draft.add(name.encode(), value.encode())
    draft.add(b"X-Case", case_value(index, sub))
    if rng.random() < 0.6:
        _body(rng, draft)
    rng.shuffle(draft.headers)
    return draft


def plain(rng: random.Random, index: int, sub: int) -> Draft:
    """A valid request with nothing special in it, to be spoilt in exactly one way."""
    draft = Draft(b"POST", limits.PATH_PREFIX + b"/x", b"HTTP/1.1", [], b"", "none")
    draft.add(b"Host", b"localhost")
    draft.add(b"X-Case", case_value(index, sub))
    if rng.random() < 0.5:
        draft.put_body("length")
    return draft


def _target(rng: random.Random) -> bytes:
    text = limits.PATH_PREFIX.decode()
    for _ in range(rng.randrange(4)):
        text += "/x" + "".join(rng.choices(SEGMENT, k=rng.randrange(12)))
    if rng.random() < 0.2:
        text += "/%C3%A9%20"
    if rng.random() < 0.3:
        text += "?" + "".join(rng.choices(SEGMENT + "/?", k=rng.randrange(20)))
    return text.encode()


def _cased(rng: random.Random, name: str) -> bytes:
    return rng.choice((name, name.lower(), name.upper())).encode()


def _value(rng: random.Random) -> tuple[bytes, bytes]:
    """A value and its separator; sometimes with optional white space around."""
    length = rng.choice((0, 3, 12, 40, 40, 200))
    value = "".join(rng.choices(VALUE, k=length))
    if rng.random() < 0.1:
        value = f"{limits.CANARY.decode()}{value}"
    return value.encode(), rng.choice((b": ", b":", b":  \t"))


def _body(rng: random.Random, draft: Draft) -> None:
    size = rng.choice((0, 1, 2, 50, 250, 250, 250, 1000, rng.randrange(limits.BODY_BYTES_MAX)))
    body = rng.randbytes(size) if rng.random() < 0.5 else b"0\r\n\r\nGET / HTTP/1.1\r\n\r\n" * size
    body = body[:size]
    if rng.random() < 0.6:
        draft.put_body("length", body)
        return
    draft.put_body("chunked", body)
    draft.chunks = []
    while body:
        take = rng.randrange(1, min(len(body), 4000) + 1)
        size_text = rng.choice((b"%x", b"%X")) % take
        draft.chunks.append(chunk(body[:take], size=size_text))
        body = body[take:]
