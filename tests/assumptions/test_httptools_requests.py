"""What llhttp, through httptools, makes of requests: `http1.grammar` is built on this table.

What is refused here need not be refused twice. What is accepted here is ours
to refuse. If a new version moves a row, the grammar has to be read again.
"""

from __future__ import annotations

import httptools
import pytest

from tests.assumptions.recorder import ACCEPTED, REFUSED, UPGRADED, judge, judge_everyhow

REQUEST = httptools.HttpRequestParser


def get(line: bytes = b"GET / HTTP/1.1", *headers: bytes) -> bytes:
    """A request without a body."""
    return b"\r\n".join((line, *headers, b"", b""))


def post(*headers: bytes, body: bytes = b"") -> bytes:
    """A POST with its own framing."""
    return get(b"POST / HTTP/1.1", b"Host: a", *headers) + body


CHUNKED = b"Transfer-Encoding: chunked"

REFUSED_REQUESTS = {
    "bare LF after the request line": b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    "bare LF after a header": b"GET / HTTP/1.1\r\nHost: a\n\r\n",
    "bare CR": get(b"GET / HTTP/1.1", b"Host: a\rb"),
    "obs-fold": get(b"GET / HTTP/1.1", b"A: b\r\n c"),
    "space before colon": get(b"GET / HTTP/1.1", b"Host : a"),
    "NUL in a value": get(b"GET / HTTP/1.1", b"A: \0"),
    "control byte in a value": get(b"GET / HTTP/1.1", b"A: \x12"),
    "DEL in a value": get(b"GET / HTTP/1.1", b"A: \x7f"),
    "bad byte in a name": get(b"GET / HTTP/1.1", b"A(: b"),
    "length then chunked": post(b"Content-Length: 1", CHUNKED),
    "chunked then length": post(CHUNKED, b"Content-Length: 1"),
    "equal lengths twice": post(b"Content-Length: 1", b"Content-Length: 1"),
    "list of lengths": post(b"Content-Length: 1, 1"),
    "signed length": post(b"Content-Length: +1"),
    "negative length": post(b"Content-Length: -1"),
    "hexadecimal length": post(b"Content-Length: 0x1"),
    "empty length": post(b"Content-Length: "),
    "overflowing length": post(b"Content-Length: 99999999999999999999"),
    "unknown coding": post(b"Transfer-Encoding: xchunked"),
    "identity": post(b"Transfer-Encoding: identity"),
    "empty coding": post(b"Transfer-Encoding: "),
    "chunked not last": post(b"Transfer-Encoding: chunked, gzip"),
    "chunked twice": post(b"Transfer-Encoding: chunked, chunked"),
    "chunked in two headers": post(CHUNKED, CHUNKED),
    "space before chunk size": post(CHUNKED, body=b" 1\r\na\r\n"),
    "space after chunk size": post(CHUNKED, body=b"1 \r\na\r\n"),
    "0x chunk size": post(CHUNKED, body=b"0x1\r\na\r\n"),
    "signed chunk size": post(CHUNKED, body=b"+1\r\na\r\n"),
    "overflowing chunk size": post(CHUNKED, body=b"fffffffffffffffff\r\n"),
    "LF after chunk size": post(CHUNKED, body=b"1\na\r\n"),
    "LF in a chunk extension": post(CHUNKED, body=b"1;a\nb\r\na\r\n"),
    "no CRLF after chunk data": post(CHUNKED, body=b"1\r\naX"),
    "HTTP/1.2": get(b"GET / HTTP/1.2"),
    "HTTP/9.9": get(b"GET / HTTP/9.9"),
    "lower-case protocol": get(b"GET / http/1.1"),
    "data after Connection: close": get(b"GET / HTTP/1.1", b"Connection: close") + get(),
}

ACCEPTED_REQUESTS = {
    "HTTP/0.9": (get(b"GET / HTTP/0.9"), "0.9"),
    "HTTP/0.9 without a version": (get(b"GET /"), "0.9"),
    "HTTP/2.0": (get(b"GET / HTTP/2.0"), "2.0"),
    "RTSP said to be 1.0": (get(b"GET / RTSP/1.0"), "1.0"),
    "RTSP said to be 1.1": (get(b"OPTIONS / RTSP/1.1"), "1.1"),
    "RTSP with POST": (get(b"POST / RTSP/1.0"), "1.0"),
    "ICE said to be 1.0": (get(b"SOURCE / ICE/1.0"), "1.0"),
    "chunked on HTTP/1.0": (get(b"POST / HTTP/1.0", CHUNKED) + b"0\r\n\r\n", "1.0"),
    "gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"), "1.1"),
    "no Host": (get(), "1.1"),
    "two Hosts": (get(b"GET / HTTP/1.1", b"Host: a", b"Host: b"), "1.1"),
    "underscore in a name": (get(b"GET / HTTP/1.1", b"A_b: c"), "1.1"),
    "bytes over 0x7f in a value": (get(b"GET / HTTP/1.1", b"A: \x80\xff"), "1.1"),
    "two spaces after the method": (get(b"GET  / HTTP/1.1"), "1.1"),
    "fragment and quotes in the target": (get(b'GET /a#b"<> HTTP/1.1'), "1.1"),
    "CRLF before the request": (b"\r\n\r\n" + get(), "1.1"),
    "LF before the request": (b"\n" + get(), "1.1"),
    "an unusual method": (get(b"QUERY / HTTP/1.1"), "1.1"),
    "leading zeros in a length": (post(b"Content-Length: 001", body=b"a"), "1.1"),
    "a chunk extension": (post(CHUNKED, body=b"1;a=b\r\na\r\n0\r\n\r\n"), "1.1"),
}


@pytest.mark.parametrize("name", REFUSED_REQUESTS)
def test_llhttp_refuses(name: str) -> None:
    """However the bytes are cut; and its error is a fixed text, without a byte of the peer."""
    judgement = judge_everyhow(REFUSED_REQUESTS[name], REQUEST)
    assert judgement.verdict == REFUSED
    assert judgement.error is not None
    assert judgement.error.__context__ is None
    assert all(isinstance(argument, str) for argument in judgement.error.args)


def test_refusals_do_not_repeat_what_was_sent() -> None:
    """A card number in a broken header, or in a chunk size, is in no part of the error."""
    number = b"4111111111111111"
    for data in (
        get(b"GET / HTTP/1.1", b"X\x12: " + number),
        get(b"GET / HTTP/1.1", b"X: " + number + b"\0"),
        post(CHUNKED, body=number + b"!\r\n"),
    ):
        judgement = judge_everyhow(data, REQUEST)
        assert judgement.verdict == REFUSED
        assert number.decode() not in repr(judgement.error)


@pytest.mark.parametrize("name", ACCEPTED_REQUESTS)
def test_llhttp_accepts_and_we_must_not_rely_on_it(name: str) -> None:
    """One whole message each, with a version that does not tell RTSP and ICE from HTTP."""
    data, version = ACCEPTED_REQUESTS[name]
    judgement = judge_everyhow(data, REQUEST)
    assert (judgement.verdict, judgement.seen.messages_complete) == (ACCEPTED, 1)
    assert judgement.version == version


def test_trailers_arrive_as_headers_after_the_headers() -> None:
    """Nothing but the order tells them apart."""
    judgement = judge_everyhow(post(CHUNKED, body=b"0\r\nX-T: 1\r\n\r\n"), REQUEST)
    assert judgement.seen.trailers == [(b"X-T", b"1")]


def test_an_upgrade_offer_drops_the_body() -> None:
    """The message is reported complete without its five bytes: an empty charge."""
    offer = post(b"Connection: Upgrade", b"Upgrade: h2c", b"Content-Length: 5", body=b"hello")
    judgement = judge_everyhow(offer, REQUEST)
    assert judgement.verdict == UPGRADED
    assert (judgement.seen.messages_complete, judgement.seen.body) == (1, b"")
    assert judgement.error is not None
    assert judgement.error.args == (len(offer) - len(b"hello"),)


def test_an_upgrade_is_not_a_parser_error() -> None:
    """`except HttpParserError` does not catch it."""
    assert not issubclass(httptools.HttpParserUpgrade, httptools.HttpParserError)


def test_connect_drops_the_body_too() -> None:
    """The same as an upgrade."""
    request = get(b"CONNECT a:1 HTTP/1.1", b"Host: a", b"Content-Length: 5") + b"hello"
    judgement = judge_everyhow(request, REQUEST)
    assert (judgement.verdict, judgement.seen.body) == (UPGRADED, b"")


@pytest.mark.parametrize(
    "start",
    [
        b"GET / HTTP/1.1\r\nA: ",
        b"GET / HTTP/1.1\r\n",
        post(CHUNKED, body=b"1;"),
        post(CHUNKED, body=b"0;"),
    ],
    ids=["header value", "header name", "chunk extension", "last chunk's extension"],
)
def test_no_callback_while_it_grows(start: bytes) -> None:
    """A mebibyte passes without a word, so only a count of raw bytes can bound it."""
    before = judge([start], REQUEST)
    after = judge([start, *[b"a" * 65536] * 16], REQUEST)
    assert after.verdict == ACCEPTED
    assert after.seen.callbacks == before.seen.callbacks


def test_empty_lines_before_a_request_are_endless() -> None:
    """A mebibyte of them is swallowed without even the beginning of a message."""
    judgement = judge([b"\r\n" * 32768] * 16, REQUEST)
    assert (judgement.verdict, judgement.seen.callbacks) == (ACCEPTED, 0)


def test_several_messages_complete_inside_one_feed() -> None:
    """Pipelined requests are all reported before feed_data returns; there is no pause."""
    judgement = judge_everyhow(get() + get(b"GET /b HTTP/1.1"), REQUEST)
    assert judgement.seen.messages_complete == 2
    assert not any(name in dir(REQUEST) for name in ("pause", "resume", "finish", "position"))


def test_a_parser_that_refused_refuses_for_ever() -> None:
    """After an error only a fresh parser can read another message."""
    parser = REQUEST(object())
    for data in (b"GET / HTTP/1.1\n", get()):
        with pytest.raises(httptools.HttpParserError):
            parser.feed_data(data)


def test_a_failing_callback_hides_its_cause_in_the_context() -> None:
    """The cause may hold the peer's bytes, so such an error must never be logged whole."""

    class Failing:
        def on_url(self, url: bytes) -> None:
            raise ValueError(url)

    with pytest.raises(httptools.HttpParserCallbackError) as caught:
        REQUEST(Failing()).feed_data(get(b"GET /secret HTTP/1.1"))
    assert "secret" not in str(caught.value)
    assert "secret" in repr(caught.value.__context__)
