"""PURE. The strict grammar of response heads: what cannot be trusted is no answer.

Control bytes in a reason phrase do no harm, because the edge writes its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import httptools

from proxy.http1.grammar import DIGITS, NO_TOKENS, Lines, note, tokens
from proxy.model.message import Header

_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n")
_LINES = Lines(httptools.HttpResponseParser, b"HTTP/1.1 200 OK")
RESPONSE_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
     b"content-length", b"upgrade")
)  # fmt: skip


@dataclass(slots=True)
class ResponseHead:
    """A response head that passed; `length` None with `chunked` False means until the end."""

    status: int
    headers: list[Header]
    length: int | None
    chunked: bool
    keep_alive: bool


def response_head(block: bytes, *, head_request: bool) -> ResponseHead | None:
    """Judge one response head; None means that it cannot be trusted."""
    line = _STATUS_LINE.match(block)
    if line is None:
        return None
    headers = _LINES.read(block)
    if headers is None:
        return None
    spoken: dict[bytes, bytes] = {}
    kept: list[Header] = []
    for header in headers:
        key = header[0]
        if key in RESPONSE_HOP_BY_HOP:
            note(spoken, key, header[2])
        else:
            kept.append(header)
    if line[1] == b"0" and b"transfer-encoding" in spoken:
        return None
    named = tokens(spoken) if b"connection" in spoken else NO_TOKENS
    if named:
        kept = [header for header in kept if header[0] not in named]
    # an HTTP/1.0 partner that offers to keep the connection is not taken up on it
    keep_alive = line[1] == b"1" and b"close" not in named
    return _frame_response(int(line[2]), kept, spoken, keep_alive, head_request)


def _frame_response(
    status: int,
    headers: list[Header],
    spoken: dict[bytes, bytes],
    keep_alive: bool,
    head_request: bool,
) -> ResponseHead | None:
    coding, length = spoken.get(b"transfer-encoding"), spoken.get(b"content-length")
    if coding is not None and (length is not None or coding.lower() != b"chunked"):
        return None
    if length is not None and not DIGITS.fullmatch(length):
        return None
    if head_request or status in (204, 304) or status < 200:
        if length is not None and status != 204:
            headers.append((b"content-length", b"Content-Length", length))
        return ResponseHead(status, headers, 0, False, keep_alive)
    if coding is not None:
        return ResponseHead(status, headers, None, True, keep_alive)
    if length is not None:
        return ResponseHead(status, headers, int(length), False, keep_alive)
    return ResponseHead(status, headers, None, False, keep_alive=False)
