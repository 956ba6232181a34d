"""PURE. Cuts one answer off the bytes of a connection.

Interim answers are skipped. Whatever is ambiguous, too large or ends too soon
is no answer, and the reason says why; whatever is merely odd (a trailer, bytes
behind the end) leaves the answer standing and the connection unusable.
"""

from __future__ import annotations

from proxy.http1.chunked import Chunked, ChunkedDecoder
from proxy.http1.response_head import ResponseHead, response_head
from proxy.model.message import Response


class AnswerReader:
    """Reads one answer after another; `begin` each, then `feed` until there is a result."""

    __slots__ = (
        "_body_max",
        "_buffer",
        "_decoder",
        "_head",
        "_head_request",
        "_header_max",
        "_reused",
        "interim_only",
        "reusable",
    )

    def __init__(self, header_bytes_max: int, body_bytes_max: int) -> None:
        self._header_max = header_bytes_max
        self._body_max = body_bytes_max
        self._buffer = bytearray()
        self._head: ResponseHead | None = None
        self._decoder: ChunkedDecoder | None = None
        self._head_request = False
        self._reused = False
        self.reusable = False
        """After an answer: nothing at all was odd about it."""
        self.interim_only = False
        """Between segments: nothing of the final answer has come yet."""

    def begin(self, *, head_request: bool, reused: bool) -> None:
        """Expect an answer: to a HEAD request or another, on a fresh connection or a reused one."""
        self._head = self._decoder = None
        self._head_request = head_request
        self._reused = reused

    def feed(self, data: bytes) -> Response | str | None:
        """The answer, the reason that it cannot be one, or None when more is needed."""
        head = self._head
        if head is None:
            if not self._buffer:
                answer = self._whole(data)
                if answer is not None:
                    return answer
            self._buffer += data
            reason = self._read_head()
            head = self._head
            if reason is not None or head is None:
                return reason
        else:
            self._buffer += data
        return self._read_body(head)

    def end(self, *, allowed: bool) -> Response | str:
        """The wire ended: an answer only where its end is what ends it, and that is allowed."""
        head = self._head
        if head is None or head.length is not None or head.chunked:
            return "closed"
        if not allowed:
            return "ends_by_eof"
        self.reusable = False
        return Response(head.status, head.headers, bytes(self._buffer))

    def _whole(self, data: bytes) -> Response | None:
        """The usual case, without a copy: one segment is exactly one good answer."""
        end = data.find(b"\r\n\r\n") + 4
        if end == 3 or end > self._header_max or len(data) - end > self._body_max:
            return None
        head = response_head(data[:end], head_request=self._head_request)
        if head is None or head.status < 200 or head.status == 408:
            return None
        if len(data) - end != head.length:
            return None
        self.reusable = head.keep_alive
        return Response(head.status, head.headers, data[end:])

    def _read_head(self) -> str | None:
        """Cut the final head off the buffer, skipping interim ones; the reason if that fails."""
        buffer = self._buffer
        self.interim_only = False
        while True:
            end = buffer.find(b"\r\n\r\n")
            if end < 0 or end + 4 > self._header_max:
                too_large = end >= 0 or len(buffer) > self._header_max
                return "header_bytes_max" if too_large else None
            head = response_head(bytes(buffer[: end + 4]), head_request=self._head_request)
            if head is None:
                return "malformed"
            if head.status == 101:
                return "protocol_switch"
            del buffer[: end + 4]
            if head.status >= 200:
                break
            if not buffer:
                self.interim_only = True
                return None
        if head.status == 408 and self._reused:
            return "timeout_408_on_reused"
        if head.length is not None and head.length > self._body_max:
            return "body_bytes_max"
        self._head = head
        if head.chunked:
            self._decoder = ChunkedDecoder(self._body_max, trailers_allowed=True)
        return None

    def _read_body(self, head: ResponseHead) -> Response | str | None:
        buffer = self._buffer
        if self._decoder is not None:
            state = self._decoder.consume(buffer)
            if state is Chunked.DONE:
                self.reusable = head.keep_alive and not self._decoder.irregular and not buffer
                body = self._decoder.body
                self._decoder = None  # an idle connection keeps nothing of its last answer
                return Response(head.status, head.headers, body)
            if state is Chunked.MORE:
                return None
            return "body_bytes_max" if state is Chunked.TOO_LARGE else "malformed"
        if head.length is None:
            return "body_bytes_max" if len(buffer) > self._body_max else None
        if len(buffer) < head.length:
            return None
        body = bytes(buffer[: head.length])
        del buffer[: head.length]
        self.reusable = head.keep_alive and not buffer
        return Response(head.status, head.headers, body)
