"""The fuzzer's reference reading, checked by hand: it is what the proxy is measured against."""

from __future__ import annotations

import pytest

from loadtests.fuzz import limits
from loadtests.fuzz.reading import Accept, Either, Incomplete, Refuse
from loadtests.fuzz.reference import read_stream

HOST = b"Host: localhost\r\n"
GET = b"GET /f HTTP/1.1\r\n" + HOST
POST = b"POST /f HTTP/1.1\r\n" + HOST
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


def test_a_request_is_read_with_all_its_parts() -> None:
    """Method, target, trimmed headers in order, and the body by its length."""
    data = b"POST /f/a?b=1 HTTP/1.1\r\nhost:localhost\r\nX-A: \t1 2\t \r\nx-a:\r\n"
    [accept] = read_stream(data + b"Content-Length: 5\r\n\r\nhello")
    assert accept == Accept(
        method=b"POST",
        target=b"/f/a?b=1",
        headers=((b"x-a", b"1 2"), (b"x-a", b"")),
        body=b"hello",
        closes=False,
        number=None,
    )


def test_a_chunked_body_is_joined() -> None:
    """Chunks of any hexadecimal spelling make one body."""
    [accept] = read_stream(CHUNKED + b"5\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n")
    assert isinstance(accept, Accept)
    assert accept.body == b"hello0123456789"


def test_pipelined_requests_are_read_one_by_one() -> None:
    """Where one ends the next begins, and nothing after a refusal is read."""
    stream = POST + b"Content-Length: 3\r\n\r\nGET" + GET + b"\r\n" + b"BAD\r\n\r\n" + GET + b"\r\n"
    kinds = [type(reading) for reading in read_stream(stream)]
    assert kinds == [Accept, Accept, Refuse]


def test_what_concerns_this_connection_alone_is_dropped() -> None:
    """Hop-by-hop headers, those that Connection names, and ours."""
    data = (
        GET + b"Connection: X-A, keep-alive\r\nX-A: 1\r\nTE: trailers\r\nTidegate-Token: t\r\n\r\n"
    )
    [accept] = read_stream(data)
    assert isinstance(accept, Accept)
    assert accept.headers == ()


@pytest.mark.parametrize(
    ("data", "closes"),
    [
        (GET + b"\r\n", False),
        (GET + b"Connection: Close\r\n\r\n", True),
        (b"GET /f HTTP/1.0\r\n" + HOST + b"\r\n", True),
        (b"GET /f HTTP/1.0\r\n" + HOST + b"Connection: keep-alive\r\n\r\n", None),
    ],
)
def test_who_closes(data: bytes, closes: bool | None) -> None:
    """HTTP/1.1 stays open unless it says so, HTTP/1.0 ends unless it may be kept."""
    [accept] = read_stream(data)
    assert isinstance(accept, Accept)
    assert accept.closes is closes


def test_every_prefix_of_a_request_is_incomplete() -> None:
    """However a valid request is cut, it is neither accepted nor refused."""
    whole = POST + b"Content-Length: 5\r\n\r\nhello"
    assert isinstance(read_stream(whole)[0], Accept)
    for size in range(1, len(whole)):
        assert read_stream(whole[:size]) == [Incomplete()]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"\r\n" + GET + b"\r\n", 400),
        (GET.replace(b"\r\n", b"\n") + b"\n", 400),
        (GET + b"X_A: 1\r\n\r\n", 400),
        (GET + b"X-A : 1\r\n\r\n", 400),
        (GET + b"X-A: 1\r\n 2\r\n\r\n", 400),
        (GET + b"X-A: \x80\r\n\r\n", 400),
        (GET + HOST + b"\r\n", 400),
        (b"GET /f HTTP/1.1\r\n\r\n", 400),
        (b"GET /f HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (b"TRACE /f HTTP/1.1\r\n" + HOST + b"\r\n", 501),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (POST + b"Content-Length: 1, 1\r\n\r\nx", 400),
        (POST + b"Content-Length: %d\r\n\r\n" % (limits.BODY_BYTES_MAX + 1), 413),
        (CHUNKED + b"1\r\nx\r\n0\r\nX: y\r\n\r\n", 400),
        (CHUNKED + b"1;" + b"a" * (limits.CHUNK_EXTENSION_BYTES_MAX + 1) + b"\r\nx\r\n", 400),
        (CHUNKED + b"2\r\nxyz\r\n", 400),
        (b"GET http://other/f HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"GET /" + b"f" * 4000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (GET + b"X-A: " + b"x" * 10000 + b"\r\n\r\n", 431),
    ],
)
def test_what_must_be_refused_and_closed(data: bytes, status: int) -> None:
    """Each offence alone is enough, and the connection has to end."""
    refusal = read_stream(data)[-1]
    assert isinstance(refusal, Refuse)
    assert status in refusal.statuses
    assert refusal.closes


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /f HTTP/1.1\r\nHost: evil.test\r\n\r\n", 421),
        (GET + b"Origin: null\r\n\r\n", 403),
        (GET + b"Sec-Fetch-Mode: cors\r\n\r\n", 403),
        (GET + b"Expect: more\r\n\r\n", 417),
        (b"GET /other HTTP/1.1\r\n" + HOST + b"\r\n", 404),
    ],
)
def test_what_is_merely_unwelcome_may_go_on(data: bytes, status: int) -> None:
    """Well-formed requests are refused by exactly their status; the next one is read."""
    refusal, accept = read_stream(data + GET + b"\r\n")
    assert isinstance(refusal, Refuse)
    assert status in refusal.statuses
    assert not refusal.closes
    assert isinstance(accept, Accept)


@pytest.mark.parametrize(
    "data",
    [
        CHUNKED + b"1;a=b\r\nx\r\n0\r\n\r\n",
        POST + b"Content-Length: 01\r\n\r\nx",
        POST + b"Transfer-Encoding: Chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
        b"POST /f/../f HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\n\r\nx",
    ],
)
def test_what_is_odd_may_be_taken_or_refused(data: bytes) -> None:
    """Ambiguous by design; taken, it is taken whole."""
    [either] = read_stream(data)
    assert isinstance(either, Either)
    assert either.accept.body == b"x"
