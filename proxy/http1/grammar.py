"""PURE. The strict grammar of message heads.

llhttp (httptools) judges every head, and refuses most of what is ambiguous:
bare line feeds, folded lines, spaces before colons, control bytes, both or
double framing headers. What it lets through and we must not is refused here:
other protocols' request lines, HTTP/0.9 and 2.0, missing or double Host,
underscores in names, bytes above 0x7f, chunked on HTTP/1.0, transfer codings
other than exactly `chunked`, unknown methods. A fresh parser judges each head
alone, and bodies are cut by our own framing, so that llhttp's quirks about
`Upgrade` (it drops the body) and HEAD never matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache

import httptools

from proxy.http1.limits import EdgeLimits
from proxy.model.message import Header

_REQUEST_LINE = re.compile(
    rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!$-;=?-\[\]_a-z~]+) HTTP/1\.([01])\r\n"
)
"""A target of visible characters without those that RFC 3986 forbids and proxies disagree about."""
_BAD_TARGET = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32} [!-~]+ HTTP/1\.[01]\r\n")
_OTHER_VERSION = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~]+ HTTP/[0-9]\.[0-9]\r\n")
_HOST = re.compile(rb"([A-Za-z0-9](?:[A-Za-z0-9.\-]*)|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_DIGITS = re.compile(rb"[0-9]{1,15}")
_STATUS_LINE = re.compile(rb"HTTP/1\.([01]) ([1-5][0-9][0-9])(?: [^\r\n]*)?\r\n")

REQUEST_HOP_BY_HOP = frozenset(
    (
        b"host", b"connection", b"keep-alive", b"proxy-connection", b"proxy-authorization",
        b"te", b"trailer", b"transfer-encoding", b"content-length", b"upgrade", b"expect",
        b"http2-settings",
    )
)  # fmt: skip
"""Never travels on: it spoke of this connection, and ours has its own."""

RESPONSE_HOP_BY_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"te", b"trailer", b"transfer-encoding",
     b"content-length", b"upgrade")
)  # fmt: skip
_NO_TOKENS: frozenset[bytes] = frozenset()


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


@dataclass(slots=True)
class ResponseHead:
    """A response head that passed; `length` None with `chunked` False means until the end."""

    status: int
    headers: list[Header]
    length: int | None
    chunked: bool
    keep_alive: bool


class _Collector:
    """Where httptools reports the headers of one head: (name, value), as they stand."""

    __slots__ = ("on_header",)

    def __init__(self, on_header: Callable[[bytes, bytes], object]) -> None:
        self.on_header = on_header


_Parser = type[httptools.HttpRequestParser] | type[httptools.HttpResponseParser]


def _fields(parser: _Parser, block: bytes) -> Collection[tuple[bytes, bytes]] | None:
    """(name, value) of each header in order; None when llhttp refuses the head.

    A dictionary's own method collects them, which costs no Python frame for
    each. It keeps one value for each spelling of a name, so when there are
    fewer names than lines, the head is read again into a list.
    """
    names: dict[bytes, bytes] = {}
    if not _judge(parser, names.setdefault, block):
        return None
    if len(names) == block.count(b"\r\n") - 2:
        return names.items()
    pairs: list[tuple[bytes, bytes]] = []
    _judge(parser, lambda name, value: pairs.append((name, value)), block)
    return pairs


def _judge(parser: _Parser, on_header: Callable[[bytes, bytes], object], block: bytes) -> bool:
    """Whether llhttp accepts the head; each with a fresh parser."""
    try:
        parser(_Collector(on_header)).feed_data(block)
    except httptools.HttpParserUpgrade:
        return True  # an offer to change protocols is not taken up; the head counts as it stands
    except httptools.HttpParserError:
        return False
    return True


def _note(spoken: dict[bytes, bytes], key: bytes, value: bytes) -> None:
    """Keep a header that belongs to the connection.

    One that comes twice is joined by a comma, as RFC 9110 5.3 reads it: no
    host, length or coding has a comma, so what is doubled is refused by its
    own grammar. White space behind a value, which llhttp leaves on it, is no
    part of it (RFC 9110 5.5).
    """
    value = value.rstrip(b" \t")
    earlier = spoken.get(key)
    spoken[key] = value if earlier is None else earlier + b"," + value


def _tokens(spoken: dict[bytes, bytes]) -> frozenset[bytes]:
    """The tokens of Connection, in lower case; `keep-alive` alone says nothing on HTTP/1.1."""
    value = spoken[b"connection"]
    if value == b"keep-alive":
        return _NO_TOKENS
    return frozenset(token.strip().lower() for token in value.split(b","))


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
    fields = _fields(httptools.HttpRequestParser, block)
    if fields is None:
        return Reject(400, "grammar")
    if len(fields) > limits.header_count_max:
        return Reject(431, "header_count_max")
    kept: list[Header] = []
    spoken: dict[bytes, bytes] = {}
    for name, value in fields:
        key = name.lower()
        if b"_" in key:
            return Reject(400, "header_bytes")
        if key in REQUEST_HOP_BY_HOP:
            _note(spoken, key, value)
        else:
            kept.append((key, name, value))
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
    tokens = _tokens(spoken) if b"connection" in spoken else _NO_TOKENS
    keep_alive = minor == b"1" and b"close" not in tokens
    if tokens:
        headers = [header for header in headers if header[0] not in tokens]
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
        if coding.lower() != b"chunked":
            return Reject(501, "transfer_coding")
        return 0, True
    if length is None:
        return 0, False
    if not _DIGITS.fullmatch(length):
        return Reject(400, "framing")
    octets = int(length)
    if octets > limits.body_bytes_max:
        return Reject(413, "body_bytes_max")
    return octets, False


def response_head(block: bytes, *, head_request: bool) -> ResponseHead | None:
    """Judge one response head; None means that it cannot be trusted."""
    line = _STATUS_LINE.match(block)
    if line is None:
        return None
    fields = _fields(httptools.HttpResponseParser, block)
    if fields is None:
        return None
    spoken: dict[bytes, bytes] = {}
    kept: list[Header] = []
    for name, value in fields:
        key = name.lower()
        if key in RESPONSE_HOP_BY_HOP:
            _note(spoken, key, value)
        else:
            kept.append((key, name, value))
    if line[1] == b"0" and b"transfer-encoding" in spoken:
        return None
    tokens = _tokens(spoken) if b"connection" in spoken else _NO_TOKENS
    if tokens:
        kept = [header for header in kept if header[0] not in tokens]
    # an HTTP/1.0 partner that offers to keep the connection is not taken up on it
    keep_alive = line[1] == b"1" and b"close" not in tokens
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
    if length is not None and not _DIGITS.fullmatch(length):
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
