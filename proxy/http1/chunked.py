"""PURE. The chunked transfer coding, cut exactly.

httptools would decode chunks, but it does not say where a message ends inside a
segment, and it swallows endless extensions without a callback. Framing is what
smuggling attacks are made of, so it is decided here, byte by byte, on a strict
grammar: one to eight hexadecimal digits, an optional short extension, CRLF.
"""

from __future__ import annotations

import re
from enum import Enum

from proxy.http1.limits import CHUNK_OVERHEAD_BYTES_MAX

_SIZE_LINE = re.compile(rb"([0-9A-Fa-f]{1,8})(?:;[\t -~]{0,255})?\r\n")
_SIZE_LINE_BYTES_MAX = 8 + 256 + 2
_TRAILER_LINE = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t -~\x80-\xff]*\r\n")
_TRAILER_BYTES_MAX = 8192
_CR = ord("\r")


class Chunked(Enum):
    """Where a decoder stands."""

    MORE = "more"
    DONE = "done"
    MALFORMED = "malformed"
    TOO_LARGE = "too_large"
    TRAILERS = "trailers"
    """Refused: the sender uses trailers and they are not allowed here."""


class ChunkedDecoder:
    """Takes a chunked body off the front of a buffer.

    `trailers_allowed` reads and drops trailers (answers of partners), and says
    so in `irregular`; requests with trailers are refused.
    """

    __slots__ = ("_body", "_body_max", "_left", "_size", "_trailers", "_wire", "irregular")

    def __init__(self, body_bytes_max: int, *, trailers_allowed: bool) -> None:
        self._body_max = body_bytes_max
        self._trailers = trailers_allowed
        self._body = bytearray()
        self._size = 0
        self._wire = 0
        self._left = -1
        """Bytes left of the current chunk with its CRLF; -1 at a size line, -2 in trailers."""
        self.irregular = False

    @property
    def body(self) -> bytes:
        """The content decoded so far."""
        return bytes(self._body)

    def consume(self, buffer: bytearray) -> Chunked:
        """Decode from the front of `buffer`, removing what was used."""
        position = 0
        state: Chunked | None = None
        while state is None:
            if self._left == -1:
                position, state = self._size_line(buffer, position)
            elif self._left == -2:
                position, state = self._trailer_line(buffer, position)
            else:
                position, state = self._content(buffer, position)
        self._wire += position
        del buffer[:position]
        if self._wire - len(self._body) > CHUNK_OVERHEAD_BYTES_MAX:
            return Chunked.TOO_LARGE
        return state

    def _size_line(self, buffer: bytearray, position: int) -> tuple[int, Chunked | None]:
        line = _SIZE_LINE.match(buffer, position)
        if line is None:
            rest = len(buffer) - position
            if rest >= _SIZE_LINE_BYTES_MAX or buffer.find(b"\n", position) >= 0:
                return position, Chunked.MALFORMED
            return position, Chunked.MORE
        size = int(line[1], 16)
        if size == 0:
            self._left = -2
            return line.end(), None
        self._size += size
        if self._size > self._body_max:
            return position, Chunked.TOO_LARGE
        self._left = size + 2
        return line.end(), None

    def _content(self, buffer: bytearray, position: int) -> tuple[int, Chunked | None]:
        available = len(buffer) - position
        content = self._left - 2
        if available < self._left:
            if available > content and buffer[position + content] != _CR:
                return position, Chunked.MALFORMED
            taken = min(available, content)
            self._body += buffer[position : position + taken]
            self._left -= taken
            return position + taken, Chunked.MORE
        end = position + content
        if buffer[end : end + 2] != b"\r\n":
            return position, Chunked.MALFORMED
        self._body += buffer[position:end]
        self._left = -1
        return end + 2, None

    def _trailer_line(self, buffer: bytearray, position: int) -> tuple[int, Chunked | None]:
        if buffer[position : position + 2] == b"\r\n":
            return position + 2, Chunked.DONE
        if len(buffer) - position < 2:
            only_cr = len(buffer) == position or buffer[position : position + 1] == b"\r"
            if only_cr or self._trailers:
                return position, Chunked.MORE
            return position, Chunked.TRAILERS
        if not self._trailers:
            return position, Chunked.TRAILERS
        line = _TRAILER_LINE.match(buffer, position, position + _TRAILER_BYTES_MAX)
        if line is None:
            broken = (
                buffer.find(b"\n", position) >= 0 or len(buffer) - position >= _TRAILER_BYTES_MAX
            )
            return position, Chunked.MALFORMED if broken else Chunked.MORE
        self.irregular = True
        return line.end(), None
