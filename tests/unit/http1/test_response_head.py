"""Rules for response heads: which answers are understood, and where their bodies end."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.response_head import ResponseHead, response_head

OK = b"HTTP/1.1 200 OK"
CHUNKED = b"Transfer-Encoding: chunked"


def head(line: bytes, *lines: bytes) -> bytes:
    """A head of these lines."""
    return b"\r\n".join((line, *lines, b"", b""))


def understood(block: bytes, *, head_request: bool = False) -> ResponseHead:
    """The reading of a head that must be understood."""
    judged = response_head(block, head_request=head_request)
    assert judged is not None
    return judged


REFUSED = {
    "status 000": head(b"HTTP/1.1 000 x"),
    "status 099": head(b"HTTP/1.1 099 x"),
    "status 600": head(b"HTTP/1.1 600 x"),
    "status 999": head(b"HTTP/1.1 999 x"),
    "a status of two digits": head(b"HTTP/1.1 99 x"),
    "a status of four digits": head(b"HTTP/1.1 2000 x"),
    "no status": head(b"HTTP/1.1"),
    "HTTP/0.9": head(b"HTTP/0.9 200 OK"),
    "HTTP/1.2": head(b"HTTP/1.2 200 OK"),
    "HTTP/2": head(b"HTTP/2 200"),
    "HTTP/2.0": head(b"HTTP/2.0 200 OK"),
    "lower-case protocol": head(b"http/1.1 200 OK"),
    "RTSP": head(b"RTSP/1.0 200 OK"),
    "ICE": head(b"ICE/1.0 200 OK"),
    "two spaces before the status": head(b"HTTP/1.1  200 OK"),
    "CRLF before the response": b"\r\n" + head(OK),
    "another protocol": b"SSH-2.0-x\r\n\r\n",
    "bare LF behind the status line": b"HTTP/1.1 200 OK\nA: b\r\n\r\n",
    "bare LF behind a header": head(OK, b"A: b\nC: d"),
    "bare CR in the reason phrase": head(b"HTTP/1.1 200 O\rK"),
    "obs-fold": head(OK, b"A: b", b" c"),
    "a space before the colon": head(OK, b"A : b"),
    "no colon": head(OK, b"A"),
    "NUL in a value": head(OK, b"A: \x00"),
    "a control byte in a value": head(OK, b"A: \x12"),
    "a control byte in a name": head(OK, b"A\x12: b"),
    "length and chunked": head(OK, b"Content-Length: 1", CHUNKED),
    "chunked and length": head(OK, CHUNKED, b"Content-Length: 1"),
    "two lengths": head(OK, b"Content-Length: 1", b"Content-Length: 2"),
    "two equal lengths": head(OK, b"Content-Length: 1", b"Content-Length: 1"),
    "a list of lengths": head(OK, b"Content-Length: 1, 1"),
    "a signed length": head(OK, b"Content-Length: +1"),
    "a hexadecimal length": head(OK, b"Content-Length: 0x1"),
    "an empty length": head(OK, b"Content-Length:"),
    "a length of 16 digits": head(OK, b"Content-Length: 1000000000000000"),
    "two lengths where no body can be": head(
        b"HTTP/1.1 304 x", b"Content-Length: 1", b"Content-Length: 2"
    ),
    "chunked on HTTP/1.0": head(b"HTTP/1.0 200 OK", CHUNKED),
    "an unknown coding": head(OK, b"Transfer-Encoding: xchunked"),
    "identity": head(OK, b"Transfer-Encoding: identity"),
    "gzip and chunked": head(OK, b"Transfer-Encoding: gzip, chunked"),
    "chunked twice": head(OK, CHUNKED, CHUNKED),
}


@pytest.mark.parametrize("name", REFUSED)
def test_it_cannot_be_trusted(name: str) -> None:
    """Two readers might understand it differently, so for us the call is in doubt."""
    assert response_head(REFUSED[name], head_request=False) is None


FRAMES: dict[str, tuple[bytes, int | None, bool, bool]] = {
    "a length": (head(OK, b"Content-Length: 5"), 5, False, True),
    "white space around a length": (head(OK, b"Content-Length: \t5 \t"), 5, False, True),
    "nothing": (head(OK, b"Content-Length: 0"), 0, False, True),
    "chunked": (head(OK, CHUNKED), None, True, True),
    "chunked in capitals": (head(OK, b"TRANSFER-ENCODING: CHUNKED "), None, True, True),
    "until the end": (head(OK), None, False, False),
    "until the end, said to be kept": (head(OK, b"Connection: keep-alive"), None, False, False),
    "closing": (head(OK, b"Content-Length: 5", b"Connection: Close"), 5, False, False),
    "closing and keeping": (head(OK, b"Content-Length: 5", b"Connection: keep-alive, close"),
                            5, False, False),
    "HTTP/1.0": (head(b"HTTP/1.0 200 OK", b"Content-Length: 5"), 5, False, False),
    "HTTP/1.0 that would keep": (
        head(b"HTTP/1.0 200 OK", b"Content-Length: 5", b"Connection: keep-alive"), 5, False, False
    ),
    "204": (head(b"HTTP/1.1 204 x"), 0, False, True),
    "204 with a length": (head(b"HTTP/1.1 204 x", b"Content-Length: 5"), 0, False, True),
    "304 with a length": (head(b"HTTP/1.1 304 x", b"Content-Length: 5"), 0, False, True),
    "304 with chunks": (head(b"HTTP/1.1 304 x", CHUNKED), 0, False, True),
    "100": (head(b"HTTP/1.1 100 Continue"), 0, False, True),
    "no phrase": (head(b"HTTP/1.1 200", b"Content-Length: 5"), 5, False, True),
    "an empty phrase": (head(b"HTTP/1.1 200 ", b"Content-Length: 5"), 5, False, True),
    "control bytes in the phrase": (head(b"HTTP/1.1 200 a\x00\x7f", b"Content-Length: 5"),
                                    5, False, True),
    "status 599": (head(b"HTTP/1.1 599 x", b"Content-Length: 5"), 5, False, True),
    "an offer of another protocol": (
        head(OK, b"Upgrade: h2c", b"Connection: upgrade", b"Content-Length: 5"), 5, False, True
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FRAMES)
def test_the_body_is_framed(name: str) -> None:
    """(length, chunked, kept): a length None without chunks is a body that the end ends."""
    block, length, chunked, kept = FRAMES[name]
    judged = understood(block)
    assert (judged.length, judged.chunked, judged.keep_alive) == (length, chunked, kept)


@pytest.mark.parametrize("framing", [b"Content-Length: 5", CHUNKED, b"A: b"])
def test_an_answer_to_head_has_no_body(framing: bytes) -> None:
    """Whatever its headers say of the body that a GET would have had."""
    judged = understood(head(OK, framing), head_request=True)
    assert (judged.length, judged.chunked, judged.keep_alive) == (0, False, True)


def test_a_switch_of_protocols_is_shown_as_what_it_is() -> None:
    """The client refuses a 101; here it is a head like any interim one."""
    assert understood(head(b"HTTP/1.1 101 x", b"Connection: upgrade", b"Upgrade: x")).status == 101


def test_headers_travel_on_without_those_of_the_connection() -> None:
    """Order, spelling, repetition and bytes over 0x7f stay; framing will be our own."""
    judged = understood(
        head(OK, b"Set-Cookie: a", b"Connection: X-Hop", b"X-Hop: 1", b"Keep-Alive: timeout=5",
             b"Proxy-Connection: close", b"Trailer: x", b"Upgrade: h2c", b"TE: x", b"B_c: \xe4",
             b"Content-Length: 5", b"set-cookie: b")
    )  # fmt: skip
    assert judged.headers == [
        (b"set-cookie", b"Set-Cookie", b"a"),
        (b"b_c", b"B_c", b"\xe4"),
        (b"set-cookie", b"set-cookie", b"b"),
    ]


@pytest.mark.parametrize(("status", "kept"), [(b"200", True), (b"304", True), (b"204", False)])
def test_the_length_of_an_absent_body_travels_on(status: bytes, kept: bool) -> None:
    """To a HEAD and in a 304 it is information; in a 204 it may not stand at all."""
    block = head(b"HTTP/1.1 " + status + b" x", b"Content-Length: 5")
    judged = understood(block, head_request=True)
    assert [key for key, _, _ in judged.headers] == ([b"content-length"] if kept else [])


def test_connection_cannot_take_the_length_away() -> None:
    """A partner that names Content-Length in Connection still sent that many bytes."""
    block = head(OK, b"Connection: content-length, transfer-encoding", b"Content-Length: 5")
    assert understood(block).length == 5


PIECES = [
    b"HTTP/1.1", b"HTTP/1.0", b" ", b"200", b"204", b"304", b"100", b"101", b"OK", b"\r\n", b"\n",
    b"\r", b":", b": ", b"Content-Length", b"Transfer-Encoding", b"chunked", b"5", b",", b"\t",
    b"\x00", b"\xff", b"_", b"Connection", b"close", b"upgrade", b"Upgrade", b"a",
]  # fmt: skip


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.booleans())
def test_no_bytes_make_it_raise(pieces: list[bytes], head_request: bool) -> None:
    """Every head is understood or not; one that is has one framing."""
    block = (b"HTTP/1.1 200 OK\r\n" + b"".join(pieces)).replace(b"\r\n\r\n", b"\r\n") + b"\r\n\r\n"
    judged = response_head(block, head_request=head_request)
    if judged is not None:
        assert not (judged.chunked and judged.length is not None)
        assert not (judged.keep_alive and judged.length is None and not judged.chunked)
