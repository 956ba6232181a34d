"""PURE. Messages of ours as bytes: one framing, decided here and nowhere else."""

from __future__ import annotations

from http import HTTPStatus

from proxy.model.message import Header, Response

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_BODILESS = frozenset((204, 304))
_BODY_EXPECTED = frozenset((b"POST", b"PUT", b"PATCH"))
"""Methods whose meaning anticipates a body say so even when it is empty (RFC 9110 8.6)."""


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Status"


_STATUS_LINES = {
    status: f"HTTP/1.1 {status} {_phrase(status)}\r\n".encode() for status in range(100, 600)
}
"""Our own reason phrases: a partner's may hold control bytes, and nobody reads them."""


def encode_response(response: Response, *, head: bool, close: bool) -> bytes:
    """A whole response; `head` for the answer to a HEAD request, which has no body."""
    bodiless = head or response.status in _BODILESS
    parts = [_STATUS_LINES[response.status]]
    append = parts.append
    for _, name, value in response.headers:
        parts += (name, b": ", value, b"\r\n")
    append(response.labels)
    if not bodiless:
        append(b"Content-Length: %d\r\n" % len(response.body))
    append(b"Connection: close\r\n\r\n" if close else b"\r\n")
    if not bodiless:
        append(response.body)
    return b"".join(parts)


def encode_request(
    method: bytes, target: bytes, fixed: bytes, headers: list[Header], body: bytes
) -> bytes:
    """A whole request. `fixed` holds ready-made header lines (Host and the configured ones)."""
    parts = [method, b" ", target, b" HTTP/1.1\r\n", fixed]
    append = parts.append
    for _, name, value in headers:
        parts += (name, b": ", value, b"\r\n")
    if body or method in _BODY_EXPECTED:
        append(b"Content-Length: %d\r\n" % len(body))
    append(b"\r\n")
    append(body)
    return b"".join(parts)
