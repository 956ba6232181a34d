"""PURE. The strict grammar of request heads.

What llhttp lets through and we must not is refused here: other protocols'
request lines, HTTP/0.9 and 2.0, missing or double Host, underscores in names,
bytes above 0x7f, chunked on HTTP/1.0, transfer codings other than exactly
`chunked`, unknown methods.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import httptools

from proxy.http1.grammar import DIGITS, NO_TOKENS, Lines, note, tokens
from proxy.http1.limits import EdgeLimits
from proxy.model.message import Header

_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!$-;=?-\[\]_a-z~]+) HTTP/1\.([01])\r\n"
)
"""A target of visible characters without those that RFC 3986 forbids and proxies disagree about."""
_BAD_TARGET = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} [!-~]+ HTTP/1\.[01]\r\n")
_OTHER_VERSION = re.compile(
    rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~]+ HTTP/(?!1\.[01]\r)[0-9]\.[0-9]\r\n"
)
_HOST = re.compile(rb"([A-Za-z0-9](?:[A-Za-z0-9.\-]*)|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")

_LINES = Lines(httptools.HttpRequestParser, b"GET / HTTP/1.1")
REQUEST_HOP_BY_HOP = frozenset(
    (
        b"host", b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization",
        b"te", b"trailer", b"transfer-encoding", b"content-length", b"upgrade", b"expect",
        b"http2-settings",
    )
)  # fmt: skip
"""Never travels on: it spoke of this connection, and ours has its own."""


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a request is refused; `reason` is fixed text, never the offending bytes."""

    status: int
    reason: str


_BAD_LINE = Reject(400, "request_line")


@dataclass(slots=True)
class RequestHead:
    """A request head that passed; headers without the hop-by-hop ones."""

    method: bytes
    target: bytes
    host: bytes
    headers: list[Header]
    length: int
    chunked: bool
    expects_continue: bool
    keep_alive: bool


def request_line(block: bytes | bytearray, limits: EdgeLimits) -> re.Match[bytes] | Reject:
    """The request line at the start of `block`, which must hold at least one whole line."""
    line = _REQUEST_LINE.match(block)
    if line is None:
        if _BAD_TARGET.match(block):
            return Reject(400, "target")
        return Reject(505, "http_version") if _OTHER_VERSION.match(block) else _BAD_LINE
    if line.end() > limits.request_line_bytes_max:
        return Reject(414, "request_line_bytes_max")
    if line[1] not in limits.methods:
        return Reject(501, "method")
    return line


def request_head(block: bytes, limits: EdgeLimits) -> RequestHead | Reject:
    """Judge one head, from its request line to the empty line."""
    line = request_line(block, limits)
    if isinstance(line, Reject):
        return line
    if not block.isascii():
        return Reject(400, "header_bytes")
    headers = _LINES.read(block)
    if headers is None:
        return Reject(400, "grammar")
    if len(headers) > limits.header_count_max:
        return Reject(431, "header_count_max")
    kept: list[Header] = []
    spoken: dict[bytes, bytes] = {}
    for header in headers:
        key = header[0]
        if key in REQUEST_HOP_BY_HOP:
            note(spoken, key, header[2])
        elif b"_" in key:
            return Reject(400, "header_bytes")
        else:
            kept.append(header)
    return _assemble(line, spoken, kept, limits)


def _assemble(
    line: re.Match[bytes], spoken: dict[bytes, bytes], headers: list[Header], limits: EdgeLimits
) -> RequestHead | Reject:
    method, target, minor = line.group(1, 2, 3)
    placed = _host_and_path(target, spoken.get(b"host"))
    if isinstance(placed, Reject):
        return placed
    framed = _request_framing(spoken, minor, limits)
    if isinstance(framed, Reject):
        return framed
    length, chunked = framed
    expects = spoken.get(b"expect")
    if expects is not None and expects.lower() != b"100-continue":
        return Reject(417, "expect")
    expects_continue = expects is not None and minor == b"1"  # RFC 9110 10.1.1: not on 1.0
    named = tokens(spoken) if b"connection" in spoken else NO_TOKENS
    keep_alive = minor == b"1" and b"close" not in named
    if named:
        headers = [header for header in headers if header[0] not in named]
    host, path = placed
    return RequestHead(method, path, host, headers, length, chunked, expects_continue, keep_alive)


@lru_cache(maxsize=256)
def _host_name(authority: bytes) -> bytes | None:
    """The name in lower case without port; applications call under few names, so they are kept."""
    host = _HOST.fullmatch(authority)
    return None if host is None else host[1].lower()


def _host_and_path(target: bytes, authority: bytes | None) -> tuple[bytes, bytes] | Reject:
    """The one host (lower case, without port) and the origin-form target."""
    if authority is None:
        return Reject(400, "host_missing")
    name = _host_name(authority)
    if name is None:
        return Reject(400, "host")
    if target.startswith(b"/"):
        return name, target
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() != b"http":
        return Reject(400, "target_form")
    named, slash, path = rest.partition(b"/")
    if not slash:
        named, question, query = named.partition(b"?")
        path = question + query
    if named.lower() != authority.lower():
        return Reject(400, "host_and_target_differ")
    return name, b"/" + path


def _request_framing(
    spoken: dict[bytes, bytes], minor: bytes, limits: EdgeLimits
) -> tuple[int, bool] | Reject:
    """(length, chunked) of the body."""
    coding, length = spoken.get(b"transfer-encoding"), spoken.get(b"content-length")
    if coding is not None:
        if length is not None or minor == b"0":
            return Reject(400, "framing")
        if coding.lower() == b"chunked,chunked":  # said twice, and nobody agrees on what that means
            return Reject(400, "framing")
        if coding.lower() != b"chunked":
            return Reject(501, "transfer_coding")
        return 0, True
    if length is None:
        return 0, False
    if not DIGITS.fullmatch(length):
        return Reject(400, "framing")
    octets = int(length)
    if octets > limits.body_bytes_max:
        return Reject(413, "body_bytes_max")
    return octets, False
