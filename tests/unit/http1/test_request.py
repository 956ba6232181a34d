"""`proxy.http1.request`: wherever segments end, the same requests come out, or the same refusal."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.request import RequestReader
from proxy.http1.request_head import Reject
from tests.unit.http1.fakes import edge_limits

PLAIN = b"GET /a HTTP/1.1\r\nHost: a\r\n\r\n"
LENGTH = b"POST /b HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello"
CHUNKS = b"POST /c HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"
BODIES = {PLAIN: b"", LENGTH: b"hello", CHUNKS: b"hi"}
BROKEN = b"POST /d HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nxx"


def read_all(reader: RequestReader, segments: list[bytes]) -> list[bytes | Reject]:
    """Bodies in order, up to a refusal; a reader is asked again while it still holds bytes."""
    out: list[bytes | Reject] = []
    for segment in segments:
        read = reader.feed(segment)
        while read is not None:
            if isinstance(read, Reject):
                return [*out, read]
            out.append(read[1])
            read = None if reader.empty else reader.advance()
    return out


def cut(wire: bytes, places: list[int]) -> list[bytes]:
    """`wire` cut at these places."""
    edges = sorted({0, len(wire), *(place % len(wire) for place in places)})
    return [wire[start:end] for start, end in pairwise(edges)]


@given(
    st.lists(st.sampled_from([PLAIN, LENGTH, CHUNKS]), min_size=1, max_size=4),
    st.lists(st.integers(min_value=0), max_size=12),
)
def test_segments_do_not_matter(messages: list[bytes], places: list[int]) -> None:
    """Pipelined requests are cut apart exactly, and nothing is left over."""
    reader = RequestReader(edge_limits())
    segments = cut(b"".join(messages), places)
    assert read_all(reader, segments) == [BODIES[message] for message in messages]
    assert reader.empty


@given(st.lists(st.integers(min_value=0), max_size=12))
def test_a_refusal_is_the_same_at_every_cut(places: list[int]) -> None:
    """And what came before it has been read."""
    reader = RequestReader(edge_limits())
    read = read_all(reader, cut(LENGTH + BROKEN, places))
    assert read[0] == b"hello"
    assert [each.status for each in read[1:] if isinstance(each, Reject)] == [400]


def test_a_sender_that_waits_is_seen_once_its_head_is_whole() -> None:
    """Not when the body came along: nobody needs to be asked for what is there."""
    head = b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    waiting, eager = RequestReader(edge_limits()), RequestReader(edge_limits())
    assert waiting.feed(head) is None
    assert waiting.asked_to_continue
    assert waiting.in_body
    assert eager.feed(head + b"ok") is not None
    assert not eager.asked_to_continue


def test_kept_bytes_wait_for_their_turn() -> None:
    """`keep` reads nothing; `advance` does; `clear` forgets."""
    reader = RequestReader(edge_limits())
    reader.keep(PLAIN + LENGTH)
    assert reader.advance() is not None
    assert not reader.empty
    reader.clear()
    assert reader.advance() is None
