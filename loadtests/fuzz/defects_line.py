"""Offences of the request line, the Host, the bounds, and requests that are merely unwelcome.

Importing this module registers them in `defects.DEFECTS`.
"""

from __future__ import annotations

import random

from loadtests.fuzz import limits
from loadtests.fuzz.defects import CANARY, defect, simple
from loadtests.fuzz.draft import Draft

VERSIONS: tuple[bytes, ...] = (
    b"HTTP/0.9",
    b"HTTP/1.2",
    b"HTTP/2.0",
    b"HTTP/2",
    b"HTTP/9.9",
    b"HTTP/1.",
    b"HTTP/11",
)
VERSIONS += (b"http/1.1", b"HTTP/1.1 ", b"HTTP/01.1", b"RTSP/1.0", b"ICE/1.0", b"HTTPS/1.1", b"")
VERSIONS += (b"HTTP/1.1" + CANARY, b"HTTP/" + CANARY, b"\tHTTP/1.1", b"HTTP/1,1")
TARGETS: tuple[bytes, ...] = (
    b"/f#" + CANARY,
    b"/f?#" + CANARY,
    b'/f"' + CANARY,
    b"/f<" + CANARY + b">",
    b"/f\xc3\xa9",
)
TARGETS += (b"/f\x80" + CANARY, b"/f\x00", b"/f\x7f" + CANARY, b"/f\tx", b"f/" + CANARY)
TARGETS += (b"//f " + CANARY, b"/f x", b"ftp://localhost/f", b"localhost:80", b"?" + CANARY, b"*")
HOSTS: tuple[bytes, ...] = (
    b"",
    b"a b",
    b"user@localhost",
    b"localhost/x",
    b"localhost,other",
    b"localhost:x",
)
HOSTS += (b"local\x00host", b"localhost:80:80", b"http://localhost", b"[::1", b"<" + CANARY + b">")


@defect("unknown method", 501)
def _unknown_method(rng: random.Random, draft: Draft) -> None:
    draft.method = rng.choice((b"TRACE", b"QUERY", b"SOURCE", b"PROPFIND", b"BREW", b"CONNECT"))


@defect("malformed method", 400, 501)
def _malformed_method(rng: random.Random, draft: Draft) -> None:
    draft.method = rng.choice(
        (b"P()ST", b"GE\x00T", b"G\xc3\xa9T", b'"GET"', b"", b"get", b"GET\t")
    )


@defect("method of digits", 400, 501)
def _method_of_digits(_rng: random.Random, draft: Draft) -> None:
    draft.method = CANARY


@defect("version", 400, 505)
def _version(rng: random.Random, draft: Draft) -> None:
    draft.version = rng.choice(VERSIONS)


@defect("simple request of HTTP/0.9", 400, 505)
def _simple_request(_rng: random.Random, _draft: Draft) -> bytes:
    return b"GET /f?" + CANARY + b"\r\n\r\n"


@defect("preface of HTTP/2", 400, 501, 505)
def _preface(_rng: random.Random, _draft: Draft) -> bytes:
    return b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"


@defect("TLS handshake", 400, 501, 505)
def _tls(rng: random.Random, _draft: Draft) -> bytes:
    return b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + rng.randbytes(40) + b"\r\n\r\n"


@defect("target", 400, 421)
def _target(rng: random.Random, draft: Draft) -> None:
    draft.method = b"GET"
    draft.target = rng.choice(TARGETS)


@defect("two spaces in the request line", 400)
def _two_spaces(rng: random.Random, draft: Draft) -> None:
    if rng.random() < 0.5:
        draft.method += b" "
    else:
        draft.target += b" "


@defect("absolute target of another host", 400, 421)
def _other_authority(_rng: random.Random, draft: Draft) -> None:
    draft.target = b"http://other." + CANARY + b".test/f"


@defect("leading CRLF", 400)
def _leading(rng: random.Random, draft: Draft) -> bytes:
    return rng.choice((b"\r\n", b"\n", b"\r\n\r\n")) + draft.render()


@defect("bare LF behind the request line", 400)
def _bare_line(_rng: random.Random, draft: Draft) -> bytes:
    return draft.render().replace(b"\r\n", b"\n", 1)


@defect("bare LF everywhere", 400)
def _bare_lines(_rng: random.Random, draft: Draft) -> bytes:
    return draft.render().replace(b"\r\n", b"\n")


@defect("white space before the first header", 400)
def _space_first(_rng: random.Random, draft: Draft) -> bytes:
    return draft.render().replace(b"\r\n", b"\r\n ", 1)


@defect("no Host", 400)
def _no_host(rng: random.Random, draft: Draft) -> None:
    draft.drop(b"host")
    draft.version = rng.choice((b"HTTP/1.1", b"HTTP/1.0"))


@defect("two Hosts", 400)
def _two_hosts(rng: random.Random, draft: Draft) -> None:
    draft.add(b"Host", rng.choice((b"localhost", CANARY)))


@defect("malformed Host", 400, 421)
def _bad_host(rng: random.Random, draft: Draft) -> None:
    draft.drop(b"host")
    draft.add(b"Host", rng.choice(HOSTS))


@defect("chunked on HTTP/1.0", 400)
def _chunked_10(_rng: random.Random, draft: Draft) -> None:
    draft.version = b"HTTP/1.0"
    draft.put_body("chunked")


@defect("request line over its bound", 414)
def _long_line(_rng: random.Random, draft: Draft) -> None:
    draft.target = b"/f/" + CANARY * (limits.REQUEST_LINE_BYTES_MAX // 8)


@defect("request line without end", 400, 414)
def _endless_line(_rng: random.Random, _draft: Draft) -> bytes:
    return b"GET /f/" + CANARY * (limits.REQUEST_LINE_BYTES_MAX // 8)


@defect("headers over their bound", 431)
def _long_headers(_rng: random.Random, draft: Draft) -> None:
    draft.add(b"X-Card", CANARY * (limits.HEADER_BYTES_MAX // 12))


@defect("headers without end", 400, 431)
def _endless_headers(_rng: random.Random, _draft: Draft) -> bytes:
    line = b"X-Card: " + CANARY * 20 + b"\r\n"
    return b"GET /f HTTP/1.1\r\nHost: localhost\r\n" + line * (limits.HEADER_BYTES_MAX // 150)


@defect("one header without end", 400, 431)
def _endless_header(_rng: random.Random, _draft: Draft) -> bytes:
    head = b"GET /f HTTP/1.1\r\nHost: localhost\r\nX-Card: "
    return head + CANARY * (limits.HEADER_BYTES_MAX // 8)


@defect("too many headers", 431)
def _many_headers(_rng: random.Random, draft: Draft) -> None:
    for number in range(limits.HEADER_COUNT_MAX + limits.SLACK_COUNT + 1):
        draft.add(b"X-%d" % number, b"1")


@defect("unknown Host", 421, closes=False)
def _unknown_host(rng: random.Random, draft: Draft) -> None:
    draft.drop(b"host")
    draft.target = limits.PATH_PREFIX
    draft.add(b"Host", rng.choice((b"evil.test", b"localhost.evil.test", CANARY + b".test")))


@defect("browser", 403, closes=False)
def _browser(rng: random.Random, draft: Draft) -> None:
    name = rng.choice((b"Origin", b"Sec-Fetch-Site", b"Sec-Fetch-Mode"))
    draft.add(name, rng.choice((b"http://localhost", b"null", b"same-origin", CANARY)))


@defect("other expectation", 417, closes=False)
def _expectation(rng: random.Random, draft: Draft) -> None:
    draft.drop(b"expect")
    draft.add(b"Expect", rng.choice((CANARY, b"200-ok", b"100-continue, " + CANARY)))


@defect("no such route", 404, closes=False)
def _no_route(rng: random.Random, draft: Draft) -> None:
    draft.target = rng.choice((b"/", b"/fx", b"/g/" + CANARY, b"/F", b"/?/f/"))


simple("nothing but garbage", {400, 501, 505}, lambda draft: setattr(draft, "method", b"\xff" * 9))
