"""Rules for a proxy's reply to CONNECT: 2xx opens, nothing may follow, and all of it is bounded."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.tunnel_reply import OPEN, REPLY_BYTES_MAX, ReplyReader

INTERIM = b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"
REPLIES = {
    b"HTTP/1.1 200 Connection established\r\n\r\n": OPEN,
    b"HTTP/1.0 200 OK\r\nProxy-Agent: old/1.0\r\n\r\n": OPEN,
    b"HTTP/1.1 204\r\n\r\n": OPEN,
    b"HTTP/1.1 299 Odd\r\nContent-Length: 7\r\n\r\n": OPEN,
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n": OPEN,
    INTERIM + INTERIM + b"HTTP/1.1 200 OK\r\n\r\n": OPEN,
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n": "proxy_auth",
    b"HTTP/1.1 403 Forbidden\r\n\r\n": "proxy_refused",
    b"HTTP/1.1 302 Found\r\nLocation: http://elsewhere\r\n\r\n": "proxy_refused",
    b"HTTP/1.1 500 No\r\n\r\n": "proxy_refused",
    b"HTTP/1.1 502 Bad Gateway\r\n\r\n": "proxy_no_route",
    b"HTTP/1.1 503 No\r\n\r\n": "proxy_no_route",
    b"HTTP/1.1 504 No\r\n\r\n": "proxy_no_route",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n": "proxy_malformed",
    b"HTTP/2 200\r\n\r\n": "proxy_malformed",
    b"SSH-2.0-OpenSSH_9.2\r\n\r\n": "proxy_malformed",
    b"HTTP/1.1 200 OK\r\nbad header\r\n\r\n": "proxy_malformed",
    b"HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n": "proxy_malformed",
    b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n":
        "proxy_malformed",
}  # fmt: skip


def read(*pieces: bytes) -> str | None:
    """What the reader says after the last of the pieces that it needed."""
    reader = ReplyReader()
    said = None
    for piece in pieces:
        said = reader.feed(piece)
        if said is not None:
            break
    return said


@pytest.mark.parametrize(("reply", "meaning"), REPLIES.items())
def test_what_a_reply_means(reply: bytes, meaning: str) -> None:
    """By the status alone, of the head that is no interim one."""
    assert read(reply) == meaning


@given(reply=st.sampled_from(sorted(REPLIES)), data=st.data())
def test_the_meaning_does_not_depend_on_segments(reply: bytes, data: st.DataObject) -> None:
    """However the bytes are cut, and nothing is said before the end of the head."""
    cuts = data.draw(st.sets(st.integers(1, len(reply) - 1)))
    edges = [0, *sorted(cuts), len(reply)]
    pieces = [reply[begin:end] for begin, end in itertools.pairwise(edges)]
    assert read(*pieces) == REPLIES[reply]


@pytest.mark.parametrize("reply", REPLIES)
def test_a_reply_byte_by_byte(reply: bytes) -> None:
    """Is undecided until a whole head stands."""
    reader = ReplyReader()
    said = [reader.feed(reply[at : at + 1]) for at in range(len(reply))]
    assert said[-1] == REPLIES[reply]
    assert set(said[:-1]) == {None}


@given(st.binary(min_size=1, max_size=40))
def test_bytes_behind_an_opening_head_are_refused(early: bytes) -> None:
    """The partner cannot have spoken yet, so they would be the proxy's in its place."""
    assert read(b"HTTP/1.1 200 OK\r\n\r\n" + early) == "proxy_spoke_first"


@given(st.binary(max_size=40))
def test_a_refusal_may_have_a_page(page: bytes) -> None:
    """Nobody reads it, however long."""
    assert read(b"HTTP/1.1 403 No\r\n\r\n" + page * 1000) == "proxy_refused"


@pytest.mark.parametrize("at_once", [True, False])
def test_a_head_without_end(at_once: bool) -> None:
    """Is given up at the bound, in one piece or in many, and so are endless interim heads."""
    head = b"HTTP/1.1 200 OK\r\nX: " + b"x" * REPLY_BYTES_MAX
    step = len(head) if at_once else 1000
    for endless in (head, head + b"\r\n\r\n", INTERIM * (REPLY_BYTES_MAX // len(INTERIM) + 1)):
        pieces = [endless[at : at + step] for at in range(0, len(endless), step)]
        assert read(*pieces) == "proxy_header_bytes_max"


@given(st.binary(max_size=200).filter(lambda noise: not noise.startswith(b"HTTP/")))
def test_noise_opens_nothing(noise: bytes) -> None:
    """Whatever comes is waited for, bounded, or refused; no exception, and never a tunnel."""
    assert read(noise, b"\r\n\r\n") in ("proxy_malformed", None)
