"""PURE. Cuts one request after another off the bytes of a connection.

Whatever cannot be read as exactly one request is refused, and after a refusal
nothing more is read: nobody can say where the next message would begin.
"""

from __future__ import annotations

import re

from proxy.http1.chunked import Chunked, ChunkedDecoder
from proxy.http1.limits import EdgeLimits
from proxy.http1.request_head import Reject, RequestHead, request_head, request_line

_BARE_LINE_FEED = re.compile(rb"(?<!\r)\n")
"""llhttp would say so too, but only once the head is complete, and this sender will not end it."""
Whole = tuple[RequestHead, bytes]

_CHUNK_REJECTS = {
    Chunked.MALFORMED: Reject(400, "chunked"),
    Chunked.TOO_LARGE: Reject(413, "body_bytes_max"),
    Chunked.TRAILERS: Reject(400, "trailers"),
}


class RequestReader:
    """`feed` bytes until there is a request or a refusal; `advance` for what was kept."""

    __slots__ = ("_buffer", "_decoder", "_head", "_limits", "asked_to_continue")

    def __init__(self, limits: EdgeLimits) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._head: RequestHead | None = None
        self._decoder: ChunkedDecoder | None = None
        self.asked_to_continue = False
        """The sender waits for `100 Continue` before it sends the body."""

    @property
    def empty(self) -> bool:
        """Nothing of a message has come yet."""
        return not self._buffer and self._head is None

    @property
    def in_body(self) -> bool:
        """The head has come, the body not yet."""
        return self._head is not None

    @property
    def for_head(self) -> bool:
        """Whether what is being read, or was refused, is a HEAD request: its reply has no body."""
        if self._head is not None:
            return self._head.method == b"HEAD"
        return self._buffer.startswith(b"HEAD ")

    def keep(self, data: bytes) -> None:
        """Take bytes that must wait their turn."""
        self._buffer += data

    def clear(self) -> None:
        """Give up what was kept."""
        self._buffer.clear()

    def feed(self, data: bytes) -> Whole | Reject | None:
        """A whole request, a refusal, or None when more is needed."""
        if not self._buffer and self._head is None:
            whole = self._whole(data)
            if whole is not None:
                return whole
        self._buffer += data
        return self.advance()

    def advance(self) -> Whole | Reject | None:
        """The same from what was kept."""
        head = self._head
        if head is None:
            refused = self._read_head()
            head = self._head
            if refused is not None or head is None:
                return refused
        return self._read_body(head)

    def _whole(self, data: bytes) -> Whole | None:
        """The usual case, without a copy: one segment is exactly one request with its length."""
        end = data.find(b"\r\n\r\n") + 4
        if end == 3 or end > self._limits.header_bytes_max:
            return None
        head = request_head(data[:end], self._limits)
        if isinstance(head, Reject) or head.chunked or len(data) - end != head.length:
            return None
        return head, data[end:]

    def _read_head(self) -> Reject | None:
        """Cut a head off the buffer; the refusal if it cannot be one."""
        limits, buffer = self._limits, self._buffer
        end = buffer.find(b"\r\n\r\n")
        if end < 0 or end + 4 > limits.header_bytes_max:
            return self._refuse_early(complete=end >= 0)
        head = request_head(bytes(buffer[: end + 4]), limits)
        if isinstance(head, Reject):
            return head
        del buffer[: end + 4]
        self._head = head
        if head.chunked:
            self._decoder = ChunkedDecoder(limits.body_bytes_max, trailers_allowed=False)
        if head.expects_continue and not buffer and (head.length or head.chunked):
            self.asked_to_continue = True
        return None

    def _refuse_early(self, *, complete: bool) -> Reject | None:
        """What can be said of a head that is not complete, or too large."""
        limits, buffer = self._limits, self._buffer
        if b"\n" in buffer:
            line = request_line(buffer, limits)
            if isinstance(line, Reject):
                return line
            if _BARE_LINE_FEED.search(buffer):
                return Reject(400, "grammar")
        elif len(buffer) > limits.request_line_bytes_max:
            return Reject(414, "request_line_bytes_max")
        if complete or len(buffer) > limits.header_bytes_max:
            return Reject(431, "header_bytes_max")
        return None

    def _read_body(self, head: RequestHead) -> Whole | Reject | None:
        buffer = self._buffer
        if self._decoder is not None:
            state = self._decoder.consume(buffer)
            if state is Chunked.MORE:
                return None
            if state is not Chunked.DONE:
                return _CHUNK_REJECTS[state]
            body = self._decoder.body
        elif len(buffer) < head.length:
            return None
        else:
            body = bytes(buffer[: head.length])
            del buffer[: head.length]
        self._head = self._decoder = None
        return head, body
