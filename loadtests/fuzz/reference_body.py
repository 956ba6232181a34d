"""The reference reading of a request body, by length or in chunks. PURE."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from loadtests.fuzz import limits

CHUNK_LINE = re.compile(rb"([0-9A-Fa-f]{1,16})(|;[\x21-\x7e]*)")
CHUNK_LINE_BYTES_MAX = limits.CHUNK_EXTENSION_BYTES_MAX + 17


@dataclass(slots=True)
class Body:
    """A body as read. `end` is the offset after it, -1 if it is not whole or not acceptable."""

    content: bytes = b""
    end: int = -1
    odd: bool = False
    problem: set[int] = field(default_factory=set)


def read_body(stream: bytes, start: int, length: int) -> Body:
    """The body that begins at `start`; a negative `length` means chunked."""
    if length < 0:
        return _chunked(stream, start)
    if len(stream) - start < length:
        return Body()
    return Body(stream[start : start + length], start + length)


def _chunked(stream: bytes, start: int) -> Body:
    body = Body()
    position = start
    while True:
        size, position = _size(stream, position, body)
        if position < 0:
            return body
        if size == 0:
            return _last(stream, position, body)
        if len(body.content) + size > limits.BODY_BYTES_MAX:
            body.problem = {413} if size < 1 << 48 else {400, 413}
            return body
        data = stream[position : position + size]
        position += size
        mark = stream[position : position + 2]
        if not b"\r\n".startswith(mark):
            body.problem = {400}
        if len(data) < size or mark != b"\r\n":
            return body
        body.content += data
        position += 2


def _size(stream: bytes, position: int, body: Body) -> tuple[int, int]:
    """The size on the chunk line at `position` and where its data begins; -1: cannot be read."""
    at = stream.find(b"\n", position)
    line = stream[position:] if at < 0 else stream[position:at]
    if at < 0 or not line.endswith(b"\r"):
        if at >= 0 or len(line) > CHUNK_LINE_BYTES_MAX + limits.SLACK_BYTES:
            body.problem = {400, 413, 431}
        return 0, -1
    matched = CHUNK_LINE.fullmatch(line[:-1])
    if matched is None or len(matched[2]) > limits.CHUNK_EXTENSION_BYTES_MAX:
        body.problem = {400, 413, 431}
        return 0, -1
    body.odd |= bool(matched[2]) or (len(matched[1]) > 1 and matched[1].startswith(b"0"))
    return int(matched[1], 16), at + 1


def _last(stream: bytes, position: int, body: Body) -> Body:
    """After the chunk of size 0 only an empty line may follow: trailers are refused."""
    if stream.startswith(b"\r\n", position):
        body.end = position + 2
    elif not b"\r\n".startswith(stream[position : position + 2]) and b"\n" in stream[position:]:
        body.problem = {400, 431}
    return body
