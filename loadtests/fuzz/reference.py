"""The reference reading of a byte stream: an own, slow and strict reader of HTTP/1.x. PURE.

It shares no code and no library with the proxy. It reads line by line, gathers
every problem of a head, and calls the request refusable by any of them, since
which one a server names first is its own affair.
"""

from __future__ import annotations

from loadtests.fuzz import limits, reference_body, reference_head
from loadtests.fuzz.reading import Accept, Either, Incomplete, Reading, Refuse

PROMPT_OVER_BYTES = limits.HEADER_BYTES_MAX + limits.REQUEST_LINE_BYTES_MAX + limits.SLACK_BYTES

ANY_REFUSAL = {400, 403, 404, 413, 414, 417, 421, 431, 501, 505}


def read_stream(stream: bytes) -> list[Reading]:
    """Every request of `stream`, in order, up to the first that ends the connection for sure."""
    readings: list[Reading] = []
    position = 0
    while position < len(stream):
        reading, position = _read_one(stream, position)
        readings.append(reading)
        if position < 0:
            break
    return readings


def _read_one(stream: bytes, start: int) -> tuple[Reading, int]:
    """One request and where the next begins; -1 if nothing after it can be read."""
    if stream.startswith((b"\r\n", b"\n"), start):
        return Refuse(frozenset({400}), closes=True), -1
    lines, end, broken = _lines(stream, start)
    if end < 0:
        return _unfinished_head(stream, start, lines, broken=broken), -1
    head = reference_head.read_head(lines)
    if head.hard:
        return Refuse(frozenset(head.hard | head.soft), closes=True), -1
    body = reference_body.read_body(stream, end, head.length)
    if body.end < 0:
        if body.problem:
            return Refuse(frozenset(body.problem | head.soft), closes=True), -1
        return Incomplete(), -1
    if head.soft:
        statuses = head.soft | (ANY_REFUSAL if head.odd or body.odd else set())
        return Refuse(frozenset(statuses), closes=False), body.end
    accept = Accept(head.method, head.target, head.headers, body.content, head.closes, head.number)
    after = -1 if head.closes else body.end
    return (Either(accept) if head.odd or body.odd else accept), after


def _lines(stream: bytes, start: int) -> tuple[list[bytes], int, bool]:
    """The lines of a head without their CRLF, the offset after it (-1: none), and bare LF seen."""
    lines: list[bytes] = []
    position = start
    while (at := stream.find(b"\n", position)) >= 0:
        if at == position or stream[at - 1] != 0x0D:
            lines.append(stream[position:at])
            return lines, -1, True
        line = stream[position : at - 1]
        position = at + 1
        if not line:
            return lines, position, False
        lines.append(line)
    return lines, -1, False


def _unfinished_head(stream: bytes, start: int, lines: list[bytes], *, broken: bool) -> Reading:
    """A head without its end: refused at once for a bad request line or for its sheer size,
    and for a bare LF if something ends it after all.

    Anything else may wait for the end that never comes, and so for its deadline.
    """
    size = len(stream) - start
    if broken and (len(lines) == 1 or stream.find(b"\r\n\r\n", start) >= 0):
        head = reference_head.read_head(lines)
        by_size = {414, 431} if size > limits.REQUEST_LINE_BYTES_MAX else set()
        return Refuse(frozenset({400} | by_size | head.hard | head.soft), closes=True)
    if not lines and size > limits.REQUEST_LINE_BYTES_MAX + limits.SLACK_BYTES:
        return Refuse(frozenset({400, 414, 431, 501}), closes=True)
    if size > PROMPT_OVER_BYTES:
        head = reference_head.read_head(lines)
        return Refuse(frozenset({400, 431} | head.hard | head.soft), closes=True)
    return Incomplete()
