"""The reference reading of one request head, given as its lines. PURE."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from loadtests.fuzz import limits, reference_target
from loadtests.fuzz.reading import case_number

TOKEN = re.compile(rb"[!#$%&'*+.^`|~0-9A-Za-z-]+")
"""RFC 9110 token without the underscore, which some servers take for a hyphen."""
VALUE = re.compile(rb"[\t\x20-\x7e]*")
DROPPED = frozenset(
    {
        b"connection",
        b"expect",
        b"http2-settings",
        b"keep-alive",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
CHUNKED = -1

Fields = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Head:
    """A head as read. `hard` and `soft` are the statuses its problems may be answered with.

    `length` is that of the body, or CHUNKED; `odd` says that a refusal is right as well.
    """

    hard: set[int] = field(default_factory=set)
    soft: set[int] = field(default_factory=set)
    odd: bool = False
    method: bytes = b""
    target: bytes = b""
    version: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    length: int = 0
    closes: bool | None = False
    number: int | None = None


def read_head(lines: list[bytes]) -> Head:
    """Read a request line and its fields; every problem is gathered, none hides another."""
    head = Head()
    fields = _fields(head, lines[1:])
    _bounds(head, lines)
    target = _request_line(head, lines[0])
    authority = _host(head, fields)
    if target is not None:
        reference_target.read_target(head, target, authority)
    _framing(head, fields)
    _unwelcome(head, fields)
    _connection(head, fields)
    head.number = case_number(head.headers)
    return head


def _request_line(head: Head, line: bytes) -> bytes | None:
    """Take method and version; returns the raw target, if there is one."""
    parts = line.split(b" ")
    if len(parts) != 3 or not parts[0] or not parts[1]:
        head.hard |= {400, 501, 505}
        return None
    head.method, target, head.version = parts
    if head.version not in (b"HTTP/1.1", b"HTTP/1.0"):
        head.hard |= {400, 505}
    if head.method not in limits.METHODS:
        head.hard |= {400, 501}
    return target


def _fields(head: Head, lines: list[bytes]) -> Fields:
    """Name in lower case and trimmed value of each field line that is one."""
    fields: Fields = []
    for line in lines:
        name, colon, value = line.partition(b":")
        if not colon or not TOKEN.fullmatch(name) or not VALUE.fullmatch(value):
            head.hard.add(400)
        else:
            fields.append((name.lower(), value.strip(b" \t")))
            # legal white space, and a classic of smuggling: llhttp refuses it, and may
            head.odd |= name.lower() == b"transfer-encoding" and value[-1:] in (b" ", b"\t")
    return fields


def _bounds(head: Head, lines: list[bytes]) -> None:
    line = len(lines[0]) - limits.REQUEST_LINE_BYTES_MAX
    size = sum(len(each) + 2 for each in lines[1:]) - limits.HEADER_BYTES_MAX
    count = len(lines) - 1 - limits.HEADER_COUNT_MAX
    if line > limits.SLACK_BYTES:
        head.hard.add(414)
    if size > limits.SLACK_BYTES or count > limits.SLACK_COUNT:
        head.hard.add(431)
    head.odd |= abs(line) <= limits.SLACK_BYTES or abs(size) <= limits.SLACK_BYTES
    head.odd |= abs(count) <= limits.SLACK_COUNT


def _host(head: Head, fields: Fields) -> bytes | None:
    hosts = [value for name, value in fields if name == b"host"]
    if len(hosts) != 1:
        head.hard.add(400)
        return None
    matched = re.fullmatch(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+)(:[0-9]*)?", hosts[0])
    if matched is None:
        head.hard |= {400, 421}
        return hosts[0]
    port = matched[2] or b":80"
    if len(port) == 1 or len(port) > 6 or not 0 < int(port[1:]) < 65536:
        head.odd = True
    if matched[1].lower() not in limits.HOSTS:
        head.soft |= {400, 421}
    return hosts[0]


def _framing(head: Head, fields: Fields) -> None:
    lengths = [value for name, value in fields if name == b"content-length"]
    codings = [value for name, value in fields if name == b"transfer-encoding"]
    if len(lengths) > 1 or len(codings) > 1 or (lengths and codings):
        head.hard.add(400)
    if lengths:
        _content_length(head, lengths[0])
    if codings:
        if codings[0].lower() != b"chunked":
            head.hard |= {400, 501}
        if head.version != b"HTTP/1.1":
            head.hard.add(400)
        head.odd |= codings[0] != b"chunked"
        head.length = CHUNKED


def _content_length(head: Head, value: bytes) -> None:
    if not re.fullmatch(rb"[0-9]+", value):
        head.hard.add(400)
        return
    head.odd |= len(value) > 1 and value.startswith(b"0")
    if len(value) > 15:
        head.hard |= {400, 413}
        return
    head.length = int(value)
    if head.length > limits.BODY_BYTES_MAX:
        head.hard.add(413)


def _unwelcome(head: Head, fields: Fields) -> None:
    """Well-formed, but refused: browsers, and expectations other than 100-continue."""
    for name, value in fields:
        if name == b"origin" or name.startswith(b"sec-fetch-"):
            head.soft.add(403)
        if name == b"expect" and value.lower() != b"100-continue":
            head.soft.add(417)
        if name == b"expect" and (head.version == b"HTTP/1.0" or value != b"100-continue"):
            head.odd = True
        if name == b"trailer" or name == b"proxy-authenticate":
            head.odd = True
        if name == b"tidegate-deadline-ms" and not re.fullmatch(rb"[1-9][0-9]{3,6}", value):
            head.odd = True
    names = [name for name, _ in fields]
    head.odd |= names.count(b"tidegate-deadline-ms") > 1
    if names.count(b"expect") > 1:
        head.soft.add(417)


def _connection(head: Head, fields: Fields) -> None:
    """Drop what ends here, and see whether the connection does."""
    joined = b",".join(value for name, value in fields if name == b"connection")
    options = {option.strip(b" \t").lower() for option in joined.split(b",")} - {b""}
    head.odd |= any(not TOKEN.fullmatch(option) for option in options)
    head.odd |= bool(options & {b"host", b"content-length", b"transfer-encoding"})
    if b"close" in options:
        head.closes = True
    elif head.version == b"HTTP/1.0":
        head.closes = None if b"keep-alive" in options else True
    gone = DROPPED | options | {b"content-length"}
    head.headers = tuple(
        (name, value)
        for name, value in fields
        if name not in gone and not name.startswith(b"tidegate-") and name != b"host"
    )
