"""PURE. What a forward proxy says to CONNECT.

Only a status of 2xx opens the tunnel, whatever the head says of a body (RFC
9110, section 9.3.6). Interim heads are skipped. Any byte behind the last head
is refused: nobody may speak in the tunnel before we do, and bytes of a proxy
would be taken for bytes of the partner.
"""

from __future__ import annotations

from proxy.http1.response_head import response_head

REPLY_BYTES_MAX = 16 * 1024
"""All heads together; a proxy's page about its refusal is never read."""

OPEN = "open"
_NO_ROUTE = frozenset((502, 503, 504))
_AUTHENTICATION = 407


class ReplyReader:
    """Fed with the bytes of a proxy until it gives OPEN or the reason of the failure."""

    __slots__ = ("_buffer", "_left")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._left = REPLY_BYTES_MAX

    def feed(self, data: bytes) -> str | None:
        """OPEN, why there is no tunnel, or None when more is needed."""
        buffer = self._buffer
        buffer += data
        while (end := buffer.find(b"\r\n\r\n") + 4) > 3:
            if end > self._left:
                return "proxy_header_bytes_max"
            # as the answer to HEAD: what it says of a body does not count
            head = response_head(bytes(buffer[:end]), head_request=True)
            if head is None or head.status == 101:
                return "proxy_malformed"
            if head.status >= 200:
                return _meaning(head.status, end < len(buffer))
            del buffer[:end]
            self._left -= end
        return "proxy_header_bytes_max" if len(buffer) > self._left else None


def _meaning(status: int, more: bool) -> str:
    if status < 300:
        return "proxy_spoke_first" if more else OPEN
    if status == _AUTHENTICATION:
        return "proxy_auth"
    return "proxy_no_route" if status in _NO_ROUTE else "proxy_refused"
