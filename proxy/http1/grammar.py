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
from dataclasses import dataclass

import httptools

from proxy.http1.limits import EdgeLimits
from proxy.model.message import Header

_REQUEST_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]{1,32}) ([!-~]+) HTTP/1\.([01])\r\n")
_OTHER_VERSION = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+ [!-~]+ HTTP/[0-9]\.[0-9]\r\n")
_TARGET_FORBIDDEN = re.compile(rb'["<>#\\^`{|}]')
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
     b"upgrade")
)  # fmt: skip

_RESPONSE_FRAMING = frozenset((b"connection", b"transfer-encoding", b"content-length"))


@dataclass(frozen=True, slots=True)
class Reject:
    """Why a request is refused; `reason` is fixed text, never the offending bytes."""

    status: int
    reason: str


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


class _Lines:
    """Collects what httptools reports of one head."""

    __slots__ = ("headers",)

    def __init__(self) -> None:
        self.headers: list[Header] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), name, value))


class _Framing:
    """What the headers that belong to the connection say."""

    __slots__ = ("codings", "expects", "hosts", "lengths", "tokens")

    def __init__(self) -> None:
        self.hosts: list[bytes] = []
        self.lengths: list[bytes] = []
        self.codings: list[bytes] = []
        self.expects: list[bytes] = []
        self.tokens: set[bytes] = set()

    def note(self, key: bytes, value: bytes) -> None:
        if key == b"host":
            self.hosts.append(value)
        elif key == b"content-length":
            self.lengths.append(value)
        elif key == b"transfer-encoding":
            self.codings.append(value.lower())
        elif key == b"connection":
            self.tokens.update(token.strip().lower() for token in value.split(b","))
        elif key == b"expect":
            self.expects.append(value.lower())


def request_line(block: bytes | bytearray, limits: EdgeLimits) -> re.Match[bytes] | Reject:
    """The request line at the start of `block`, which must hold at least one whole line."""
    line = _REQUEST_LINE.match(block)
    if line is None:
        if _OTHER_VERSION.match(block):
            return Reject(505, "http_version")
        return Reject(400, "request_line")
    if line.end() > limits.request_line_bytes_max:
        return Reject(414, "request_line_bytes_max")
    if line[1] not in limits.methods:
        return Reject(501, "method")
    if _TARGET_FORBIDDEN.search(line[2]):
        return Reject(400, "target")
    return line


def request_head(block: bytes, limits: EdgeLimits) -> RequestHead | Reject:
    """Judge one head, from its request line to the empty line."""
    line = request_line(block, limits)
    if isinstance(line, Reject):
        return line
    lines = _Lines()
    try:
        httptools.HttpRequestParser(lines).feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # an offer to change protocols is not taken up; the request counts as it stands
    except httptools.HttpParserError:
        return Reject(400, "grammar")
    if len(lines.headers) > limits.header_count_max:
        return Reject(431, "header_count_max")
    kept: list[Header] = []
    framing = _Framing()
    for header in lines.headers:
        key, _, value = header
        if b"_" in key or not value.isascii():
            return Reject(400, "header_bytes")
        if key in REQUEST_HOP_BY_HOP:
            framing.note(key, value)
        else:
            kept.append(header)
    return _assemble(line, framing, kept, limits)


def _assemble(
    line: re.Match[bytes], framing: _Framing, headers: list[Header], limits: EdgeLimits
) -> RequestHead | Reject:
    method, target, minor = line.group(1, 2, 3)
    placed = _host_and_path(target, framing.hosts)
    if isinstance(placed, Reject):
        return placed
    framed = _request_framing(framing, minor, limits)
    if isinstance(framed, Reject):
        return framed
    length, chunked = framed
    expects = framing.expects
    if expects and (expects != [b"100-continue"] or minor == b"0"):
        return Reject(417, "expect")
    tokens = framing.tokens
    keep_alive = minor == b"1" and b"close" not in tokens
    if tokens:
        headers = [header for header in headers if header[0] not in tokens]
    host, path = placed
    return RequestHead(method, path, host, headers, length, chunked, bool(expects), keep_alive)


def _host_and_path(target: bytes, hosts: list[bytes]) -> tuple[bytes, bytes] | Reject:
    """The one host (lower case, without port) and the origin-form target."""
    if len(hosts) != 1:
        return Reject(400, "host_count")
    host = _HOST.fullmatch(hosts[0])
    if host is None:
        return Reject(400, "host")
    name = host[1].lower()
    if target.startswith(b"/"):
        return name, target
    scheme, separator, rest = target.partition(b"://")
    if not separator or scheme.lower() != b"http":
        return Reject(400, "target_form")
    authority, slash, path = rest.partition(b"/")
    if not slash:
        authority, question, query = authority.partition(b"?")
        path = question + query
    if authority.lower() != hosts[0].lower():
        return Reject(400, "host_and_target_differ")
    return name, b"/" + path


def _request_framing(
    framing: _Framing, minor: bytes, limits: EdgeLimits
) -> tuple[int, bool] | Reject:
    """(length, chunked) of the body."""
    if framing.codings:
        if framing.lengths or minor == b"0":
            return Reject(400, "framing")
        if framing.codings != [b"chunked"]:
            return Reject(501, "transfer_coding")
        return 0, True
    if not framing.lengths:
        return 0, False
    if len(framing.lengths) != 1 or not _DIGITS.fullmatch(framing.lengths[0]):
        return Reject(400, "framing")
    length = int(framing.lengths[0])
    if length > limits.body_bytes_max:
        return Reject(413, "body_bytes_max")
    return length, False


def response_head(block: bytes, *, head_request: bool) -> ResponseHead | None:
    """Judge one response head; None means that it cannot be trusted."""
    line = _STATUS_LINE.match(block)
    if line is None:
        return None
    lines = _Lines()
    try:
        httptools.HttpResponseParser(lines).feed_data(block)
    except httptools.HttpParserUpgrade:
        pass  # 101 and Upgrade headers are judged by the status, below and by the caller
    except httptools.HttpParserError:
        return None
    framing = _Framing()
    kept: list[Header] = []
    for header in lines.headers:
        key = header[0]
        if key in _RESPONSE_FRAMING:
            framing.note(key, header[2])
        if key not in RESPONSE_HOP_BY_HOP:
            kept.append(header)
    status = int(line[2])
    tokens = framing.tokens
    if tokens:
        kept = [
            header for header in kept if header[0] not in tokens or header[0] == b"content-length"
        ]
    keep_alive = b"close" not in tokens and (line[1] == b"1" or b"keep-alive" in tokens)
    bodiless = head_request or status in (204, 304) or status < 200
    return _frame_response(status, kept, framing, bodiless, keep_alive, line[1])


def _frame_response(
    status: int,
    headers: list[Header],
    framing: _Framing,
    bodiless: bool,
    keep_alive: bool,
    minor: bytes,
) -> ResponseHead | None:
    codings, lengths = framing.codings, framing.lengths
    if codings and (lengths or codings != [b"chunked"] or minor == b"0"):
        return None
    if len(lengths) > 1 or (lengths and not _DIGITS.fullmatch(lengths[0])):
        return None
    if bodiless:
        if status == 204:
            headers = [header for header in headers if header[0] != b"content-length"]
        return ResponseHead(status, headers, 0, False, keep_alive)
    if codings:
        return ResponseHead(status, headers, None, True, keep_alive)
    if lengths:
        headers = [header for header in headers if header[0] != b"content-length"]
        return ResponseHead(status, headers, int(lengths[0]), False, keep_alive)
    return ResponseHead(status, headers, None, False, keep_alive=False)
