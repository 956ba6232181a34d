"""Rules for request heads: what may come in, and as what it is understood.

The tables hold everything that reference readings of HTTP differ on. llhttp
refuses part of it; a new version of it must not change what we say.
"""

from __future__ import annotations

import pytest

from proxy.http1.request_head import Reject, RequestHead, request_head
from tests.unit.http1.fakes import edge_limits

LIMITS = edge_limits()


def head(line: bytes, *lines: bytes) -> bytes:
    """A head of these lines."""
    return b"\r\n".join((line, *lines, b"", b""))


def post(*lines: bytes, version: bytes = b"1.1") -> bytes:
    """The head of a POST with a good Host."""
    return head(b"POST / HTTP/" + version, b"Host: a", *lines)


def get(target: bytes = b"/", host: bytes = b"a") -> bytes:
    """The head of a GET."""
    return head(b"GET " + target + b" HTTP/1.1", b"Host: " + host)


def accepted(block: bytes) -> RequestHead:
    """The reading of a head that must be accepted."""
    judged = request_head(block, LIMITS)
    assert isinstance(judged, RequestHead), judged
    return judged


CHUNKED = b"Transfer-Encoding: chunked"

REFUSED: dict[str, tuple[bytes, int]] = {
    # request line
    "HTTP/0.9": (head(b"GET / HTTP/0.9", b"Host: a"), 505),
    "HTTP/0.9 without a version": (head(b"GET /", b"Host: a"), 400),
    "HTTP/1.2": (head(b"GET / HTTP/1.2", b"Host: a"), 505),
    "HTTP/2.0": (head(b"GET / HTTP/2.0", b"Host: a"), 505),
    "HTTP/9.9": (head(b"GET / HTTP/9.9", b"Host: a"), 505),
    "the preface of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "HTTP/1.10": (head(b"GET / HTTP/1.10", b"Host: a"), 400),
    "lower-case protocol": (head(b"GET / http/1.1", b"Host: a"), 400),
    "RTSP/1.0": (head(b"OPTIONS / RTSP/1.0", b"Host: a"), 400),
    "RTSP/1.1": (head(b"GET / RTSP/1.1", b"Host: a"), 400),
    "ICE/1.0": (head(b"SOURCE / ICE/1.0", b"Host: a"), 400),
    "two spaces behind the method": (head(b"GET  / HTTP/1.1", b"Host: a"), 400),
    "two spaces behind the target": (head(b"GET /  HTTP/1.1", b"Host: a"), 400),
    "a tab for a space": (head(b"GET\t/ HTTP/1.1", b"Host: a"), 400),
    "a space before the method": (head(b" GET / HTTP/1.1", b"Host: a"), 400),
    "a space behind the version": (head(b"GET / HTTP/1.1 ", b"Host: a"), 400),
    "a space in the target": (head(b"GET /a b HTTP/1.1", b"Host: a"), 400),
    "CRLF before the request": (b"\r\n" + get(), 400),
    "LF before the request": (b"\n" + get(), 400),
    "bare LF behind the request line": (b"GET / HTTP/1.1\nHost: a\r\n\r\n", 400),
    "bare CR in the request line": (head(b"GET /\r HTTP/1.1", b"Host: a"), 400),
    "an unlisted method": (head(b"TRACE / HTTP/1.1", b"Host: a"), 501),
    "a method that is no method": (head(b"SOURCE / HTTP/1.1", b"Host: a"), 501),
    "a lower-case method": (head(b"post / HTTP/1.1", b"Host: a"), 501),
    "a line that is too long": (get(b"/" + b"a" * 128), 414),
    # target
    "a fragment": (get(b"/a#b"), 400),
    "a quote in the target": (get(b'/a"b'), 400),
    "angle brackets in the target": (get(b"/<a>"), 400),
    "a backslash in the target": (get(b"/a\\b"), 400),
    "bytes over 0x7f in the target": (get(b"/\xe4"), 400),
    "DEL in the target": (get(b"/\x7f"), 400),
    "asterisk-form": (head(b"OPTIONS * HTTP/1.1", b"Host: a"), 400),
    "authority-form": (get(b"a:443"), 400),
    "a target without a slash": (get(b"a"), 400),
    "https in the target": (get(b"https://a/"), 400),
    "another scheme": (get(b"ftp://a/"), 400),
    "an empty authority": (get(b"http:///a"), 400),
    "user information": (get(b"http://u@a/"), 400),
    "an authority that is not the Host": (get(b"http://b/"), 400),
    "a port that the Host does not have": (get(b"http://a:80/"), 400),
    # Host
    "no Host": (head(b"GET / HTTP/1.1"), 400),
    "no Host on 1.0": (head(b"GET / HTTP/1.0"), 400),
    "two Hosts": (head(b"GET / HTTP/1.1", b"Host: a", b"Host: b"), 400),
    "two equal Hosts": (head(b"GET / HTTP/1.1", b"Host: a", b"host: a"), 400),
    "a Host and an empty one": (head(b"GET / HTTP/1.1", b"Host: a", b"Host:"), 400),
    "an empty Host": (get(host=b""), 400),
    "user information in Host": (get(host=b"u@a"), 400),
    "a path in Host": (get(host=b"a/b"), 400),
    "a list in Host": (get(host=b"a,b"), 400),
    "a space in Host": (get(host=b"a b"), 400),
    "a name with an underscore as Host": (get(host=b"a_b"), 400),
    "a port that is no number": (get(host=b"a:x"), 400),
    "a port of six digits": (get(host=b"a:123456"), 400),
    "an open bracket": (get(host=b"[::1"), 400),
    # header lines
    "bare LF behind a header": (b"GET / HTTP/1.1\r\nHost: a\nB: c\r\n\r\n", 400),
    "bare CR in a value": (post(b"A: b\rc"), 400),
    "obs-fold": (post(b"A: b", b" c"), 400),
    "obs-fold by a tab": (post(b"A: b", b"\tc"), 400),
    "a first line that is folded": (head(b"POST / HTTP/1.1", b" A: b", b"Host: a"), 400),
    "a space before the colon": (post(b"A : b"), 400),
    "a space in a name": (post(b"A b: c"), 400),
    "no colon": (post(b"A"), 400),
    "no name": (post(b": a"), 400),
    "a control byte in a name": (post(b"A\x12: b"), 400),
    "a bracket in a name": (post(b"A(: b"), 400),
    "bytes over 0x7f in a name": (post(b"A\xe4: b"), 400),
    "NUL in a value": (post(b"A: \x00"), 400),
    "a control byte in a value": (post(b"A: \x12"), 400),
    "DEL in a value": (post(b"A: \x7f"), 400),
    "bytes over 0x7f in a value": (post(b"A: \xe4"), 400),
    "an underscore in a name": (post(b"A_b: c"), 400),
    "an underscore for a hyphen": (post(b"Content_Length: 5"), 400),
    "too many headers": (post(*[b"A: b"] * 8), 431),
    # framing
    "length and chunked": (post(b"Content-Length: 1", CHUNKED), 400),
    "chunked and length": (post(CHUNKED, b"Content-Length: 1"), 400),
    "two equal lengths": (post(b"Content-Length: 1", b"Content-Length: 1"), 400),
    "two lengths": (post(b"Content-Length: 1", b"Content-Length: 2"), 400),
    "a list of lengths": (post(b"Content-Length: 1, 1"), 400),
    "a positive length": (post(b"Content-Length: +1"), 400),
    "a negative length": (post(b"Content-Length: -1"), 400),
    "a hexadecimal length": (post(b"Content-Length: 0x1"), 400),
    "an empty length": (post(b"Content-Length:"), 400),
    "a length with a space in it": (post(b"Content-Length: 1 1"), 400),
    "a length that overflows": (post(b"Content-Length: 18446744073709551617"), 400),
    "a length of 16 digits": (post(b"Content-Length: 0000000000000001"), 400),
    "a body that is too large": (post(b"Content-Length: 65"), 413),
    "chunked on HTTP/1.0": (post(CHUNKED, version=b"1.0"), 400),
    "an unknown coding": (post(b"Transfer-Encoding: xchunked"), 400),
    "identity": (post(b"Transfer-Encoding: identity"), 400),
    "an empty coding": (post(b"Transfer-Encoding:"), 400),
    "gzip and chunked": (post(b"Transfer-Encoding: gzip, chunked"), 501),
    "chunked and gzip": (post(b"Transfer-Encoding: chunked, gzip"), 400),
    "chunked twice": (post(b"Transfer-Encoding: chunked, chunked"), 400),
    "chunked in two headers": (post(CHUNKED, CHUNKED), 400),
    "chunked in quotes": (post(b'Transfer-Encoding: "chunked"'), 400),
    "chunked with a parameter": (post(b"Transfer-Encoding: chunked;a=b"), 400),
    "a vertical tab behind chunked": (post(b"Transfer-Encoding: chunked\x0b"), 400),
    "another expectation": (post(b"Expect: 200-ok"), 417),
    "two expectations": (post(b"Expect: 100-continue", b"Expect: 100-continue"), 417),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused(name: str) -> None:
    """With its own status, and with a reason that holds not one byte of the sender."""
    block, status = REFUSED[name]
    judged = request_head(block, LIMITS)
    assert isinstance(judged, Reject), judged
    assert judged.status == status
    assert judged.reason.replace("_", "").isalpha()


ACCEPTED: dict[str, tuple[bytes, bytes, bytes]] = {
    "origin-form": (get(b"/a/b?c=d&e=%20"), b"a", b"/a/b?c=d&e=%20"),
    "a path of two slashes": (get(b"//b/c"), b"a", b"//b/c"),
    "absolute-form": (get(b"http://a/b?c"), b"a", b"/b?c"),
    "absolute-form in capitals": (get(b"HTTP://A/b", host=b"a"), b"a", b"/b"),
    "absolute-form without a path": (get(b"http://a"), b"a", b"/"),
    "absolute-form with a query alone": (get(b"http://a?b"), b"a", b"/?b"),
    "absolute-form with the port of the Host": (get(b"http://a:80/", host=b"a:80"), b"a", b"/"),
    "Host with a port": (get(host=b"API.Example.com:65535"), b"api.example.com", b"/"),
    "Host that is IPv4": (get(host=b"127.0.0.1:80"), b"127.0.0.1", b"/"),
    "Host that is IPv6": (get(host=b"[::1]:80"), b"[::1]", b"/"),
    "white space around Host": (head(b"GET / HTTP/1.1", b"Host: \t a \t"), b"a", b"/"),
    "HTTP/1.0": (head(b"GET / HTTP/1.0", b"Host: a"), b"a", b"/"),
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_it_is_accepted(name: str) -> None:
    """As the one host, in lower case and without port, and the one origin-form target."""
    block, host, target = ACCEPTED[name]
    judged = accepted(block)
    assert (judged.host, judged.target) == (host, target)


FRAMES: dict[str, tuple[bytes, int, bool]] = {
    "no body": (post(), 0, False),
    "a length": (post(b"Content-Length: 5"), 5, False),
    "a length of the bound": (post(b"Content-Length: 64"), 64, False),
    "a length on HTTP/1.0": (post(b"Content-Length: 5", version=b"1.0"), 5, False),
    "leading zeros": (post(b"Content-Length: 005"), 5, False),
    "white space around a length": (post(b"Content-Length: \t5 \t"), 5, False),
    "chunked": (post(CHUNKED), 0, True),
    "chunked in capitals": (post(b"TRANSFER-ENCODING: CHUNKED"), 0, True),
    "white space behind chunked": (post(b"Transfer-Encoding: chunked "), 0, True),
    "an offer of h2c": (
        post(b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c", b"Content-Length: 5"),
        5,
        False,
    ),
    "an offer with a chunked body": (post(b"Connection: upgrade", b"Upgrade: x", CHUNKED), 0, True),
}


@pytest.mark.parametrize("name", FRAMES)
def test_the_body_is_framed(name: str) -> None:
    """By one length or by chunks; an offer to change protocols is ignored, its body is not."""
    block, length, chunked = FRAMES[name]
    judged = accepted(block)
    assert (judged.length, judged.chunked) == (length, chunked)
