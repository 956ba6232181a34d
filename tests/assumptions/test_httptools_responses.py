"""What llhttp, through httptools, makes of responses: `http1.grammar` is built on this table."""

from __future__ import annotations

import httptools
import pytest

from tests.assumptions.recorder import ACCEPTED, REFUSED, UPGRADED, judge, judge_everyhow

RESPONSE = httptools.HttpResponseParser
EMPTY = b"Content-Length: 0"


def response(line: bytes, *headers: bytes, body: bytes = b"") -> bytes:
    """A response with its own framing."""
    return b"\r\n".join((line, *headers, b"", b"")) + body


CHUNKED = b"Transfer-Encoding: chunked"
OK = response(b"HTTP/1.1 200 OK", EMPTY)

REFUSED_RESPONSES = {
    "a status of two digits": response(b"HTTP/1.1 99 x", EMPTY),
    "a status of four digits": response(b"HTTP/1.1 2000 x", EMPTY),
    "HTTP/1.2": response(b"HTTP/1.2 200 OK", EMPTY),
    "lower-case protocol": response(b"http/1.1 200 OK", EMPTY),
    "bare LF": b"HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
    "length then chunked": response(b"HTTP/1.1 200 OK", b"Content-Length: 1", CHUNKED),
    "equal lengths twice": response(b"HTTP/1.1 200 OK", b"Content-Length: 1", b"Content-Length: 1"),
}

ACCEPTED_RESPONSES = {
    "status 000": response(b"HTTP/1.1 000 x", EMPTY),
    "status 099": response(b"HTTP/1.1 099 x", EMPTY),
    "status 999": response(b"HTTP/1.1 999 x", EMPTY),
    "HTTP/0.9": response(b"HTTP/0.9 200 OK", EMPTY),
    "HTTP/2.0": response(b"HTTP/2.0 200 OK", EMPTY),
    "RTSP": response(b"RTSP/1.0 200 OK", EMPTY),
    "ICE": response(b"ICE/1.0 200 OK", EMPTY),
    "chunked on HTTP/1.0": response(b"HTTP/1.0 200 OK", CHUNKED, body=b"0\r\n\r\n"),
    "gzip, chunked": response(
        b"HTTP/1.1 200 OK", b"Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"
    ),
    "control bytes in the phrase": response(b"HTTP/1.1 200 a\x00\x01\x7f", EMPTY),
    "no phrase": response(b"HTTP/1.1 200", EMPTY),
    "CRLF before the response": b"\r\n" + OK,
    "stray CRLF after the end": OK + b"\r\n",
}


@pytest.mark.parametrize("name", REFUSED_RESPONSES)
def test_llhttp_refuses(name: str) -> None:
    """However the bytes are cut."""
    assert judge_everyhow(REFUSED_RESPONSES[name], RESPONSE).verdict == REFUSED


@pytest.mark.parametrize("name", ACCEPTED_RESPONSES)
def test_llhttp_accepts_and_we_must_not_rely_on_it(name: str) -> None:
    """One whole message each."""
    judgement = judge_everyhow(ACCEPTED_RESPONSES[name], RESPONSE)
    assert (judgement.verdict, judgement.seen.messages_complete) == (ACCEPTED, 1)


def test_an_unknown_coding_reads_until_the_end_of_the_connection() -> None:
    """The body swallows whatever follows, the next answer included, and never completes."""
    xchunked = response(b"HTTP/1.1 200 OK", b"Transfer-Encoding: xchunked", body=b"0\r\n\r\n")
    judgement = judge_everyhow(xchunked + OK, RESPONSE)
    assert judgement.verdict == ACCEPTED
    assert (judgement.seen.messages_complete, judgement.seen.body) == (0, b"0\r\n\r\n" + OK)


def test_trailers_arrive_as_headers_after_the_headers() -> None:
    """Nothing but the order tells them apart."""
    data = response(b"HTTP/1.1 200 OK", CHUNKED, body=b"0\r\nX-T: 1\r\n\r\n")
    assert judge_everyhow(data, RESPONSE).seen.trailers == [(b"X-T", b"1")]


@pytest.mark.parametrize("status", [b"100", b"103"])
def test_interim_responses_are_messages_of_their_own(status: bytes) -> None:
    """The final response is a second message in the same feed."""
    judgement = judge_everyhow(response(b"HTTP/1.1 " + status + b" x") + OK, RESPONSE)
    assert judgement.seen.messages_complete == 2


def test_switching_protocols_ends_the_message() -> None:
    """A 101 that names its protocol raises an upgrade, and one that does not a parser error."""
    named = response(b"HTTP/1.1 101 x", b"Upgrade: h2c", b"Connection: upgrade", body=b"abc")
    assert judge_everyhow(named, RESPONSE).verdict == UPGRADED
    unnamed = response(b"HTTP/1.1 101 x", EMPTY)
    assert judge_everyhow(unnamed, RESPONSE).verdict == REFUSED


@pytest.mark.parametrize("status", [b"204", b"304"])
def test_a_body_where_none_may_be_spoils_only_what_follows(status: bytes) -> None:
    """The message is complete without the bytes, which are then refused."""
    data = response(b"HTTP/1.1 " + status + b" x", b"Content-Length: 5", body=b"hello")
    judgement = judge_everyhow(data, RESPONSE)
    assert (judgement.verdict, judgement.seen.messages_complete) == (REFUSED, 1)
    assert judgement.seen.body == b""


def test_stray_bytes_come_after_a_complete_message() -> None:
    """The answer was reported in full before the error is raised."""
    judgement = judge_everyhow(OK + b"XX", RESPONSE)
    assert (judgement.verdict, judgement.seen.messages_complete) == (REFUSED, 1)


def test_an_answer_to_head_cannot_be_told_from_one_with_a_body() -> None:
    """The parser takes the next response for the body, so a HEAD needs framing of our own."""
    to_head = response(b"HTTP/1.1 200 OK", b"Content-Length: 5")
    judgement = judge([to_head, OK], RESPONSE)
    assert judgement.seen.body == OK[:5]
    assert judgement.verdict == REFUSED


def test_a_body_ended_by_the_connection_is_never_reported_complete() -> None:
    """There is no way to tell the parser that the connection has ended."""
    judgement = judge_everyhow(response(b"HTTP/1.1 200 OK", body=b"abc"), RESPONSE)
    assert (judgement.seen.body, judgement.seen.messages_complete) == (b"abc", 0)


def test_the_phrase_does_not_grow_in_silence() -> None:
    """Unlike header values it is handed out piece by piece."""
    pieces = [b"HTTP/1.1 200 ", *[b"a" * 65536] * 4]
    assert judge(pieces, RESPONSE).seen.phrase == b"a" * 262144
