"""`proxy.http1.answer`: wherever segments end, the same answer comes out, or the same reason."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.http1.answer import AnswerReader
from proxy.model.message import Response
from tests.unit.http1.test_request import cut

HEAD = b"HTTP/1.1 200 OK\r\nX-A: 1\r\n"
LENGTH = HEAD + b"Content-Length: 5\r\n\r\nhello"
CHUNKS = HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
EARLY = b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
TO_THE_END = HEAD + b"\r\nhello"
HELLO = Response(200, [(b"x-a", b"X-A", b"1")], b"hello")
PLACES = st.lists(st.integers(min_value=0), max_size=12)


def reader(
    *, head_request: bool = False, reused: bool = False, body_max: int = 100
) -> AnswerReader:
    """A reader that expects an answer."""
    made = AnswerReader(1000, body_max)
    made.begin(head_request=head_request, reused=reused)
    return made


def read(made: AnswerReader, segments: list[bytes]) -> Response | str | None:
    """The first result; no segment but the last may have one."""
    result = None
    for segment in segments:
        assert result is None
        result = made.feed(segment)
    return result


@given(st.sampled_from([LENGTH, CHUNKS, EARLY + LENGTH, EARLY + EARLY + CHUNKS]), PLACES)
def test_segments_do_not_matter(wire: bytes, places: list[int]) -> None:
    """Interim answers are skipped, both framings give the same body, the connection is clean."""
    made = reader()
    assert read(made, cut(wire, places)) == HELLO
    assert made.reusable


@given(st.sampled_from([LENGTH, CHUNKS]), PLACES)
def test_one_reader_reads_answer_after_answer(wire: bytes, places: list[int]) -> None:
    """Nothing of one answer is left for the next."""
    made = reader()
    for _ in range(3):
        made.begin(head_request=False, reused=True)
        assert read(made, cut(wire, places)) == HELLO


@pytest.mark.parametrize("wire", [LENGTH, CHUNKS])
def test_bytes_behind_the_end_leave_the_answer_standing(wire: bytes) -> None:
    """The answer counts, the connection does not."""
    made = reader()
    assert made.feed(wire + b"HTTP/1.1 200 OK\r\n\r\n") == HELLO
    assert not made.reusable


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"HTTP/2.0 200 OK\r\n\r\n", "malformed"),
        (b"HTTP/1.1 999 OK\r\n\r\n", "malformed"),
        (
            b"HTTP/1.1 101 Switching\r\nUpgrade: h2c\r\nConnection: upgrade\r\n\r\n",
            "protocol_switch",
        ),
        (HEAD + b"Content-Length: 101\r\n\r\n", "body_bytes_max"),
        (HEAD + b"\r\n" + b"x" * 101, "body_bytes_max"),
        (HEAD + b"X: " + b"y" * 1000, "header_bytes_max"),
        (CHUNKS.replace(b"5\r\n", b"5x\r\n"), "malformed"),
    ],
)
def test_what_cannot_be_trusted_is_no_answer(wire: bytes, reason: str) -> None:
    """The reason is a fixed word."""
    assert reader().feed(wire) == reason


def test_a_408_on_a_reused_connection_is_no_answer() -> None:
    """It is the partner's goodbye to an idle connection; on a fresh one it is an answer."""
    wire = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"
    assert reader(reused=True).feed(wire) == "timeout_408_on_reused"
    fresh = reader().feed(wire)
    assert isinstance(fresh, Response)
    assert fresh.status == 408


def test_the_end_of_the_wire_is_an_answer_only_where_allowed() -> None:
    """And never when the framing promised more."""
    for wire, allowed, result in (
        (TO_THE_END, True, HELLO),
        (TO_THE_END, False, "ends_by_eof"),
        (LENGTH[:-1], True, "closed"),
        (CHUNKS[:-1], True, "closed"),
        (HEAD, True, "closed"),
    ):
        made = reader()
        assert made.feed(wire) is None
        assert made.end(allowed=allowed) == result
        assert not made.reusable


def test_an_interim_answer_alone_is_told_apart() -> None:
    """The wait for the first byte of the real answer goes on."""
    made = reader()
    assert made.feed(EARLY) is None
    assert made.interim_only
    assert made.feed(HEAD) is None
    assert not made.interim_only


def test_an_answer_to_head_has_no_body() -> None:
    """Its length tells what a GET would have got."""
    answer = reader(head_request=True).feed(HEAD + b"Content-Length: 5\r\n\r\n")
    assert isinstance(answer, Response)
    assert answer.body == b""
    assert (b"content-length", b"Content-Length", b"5") in answer.headers
