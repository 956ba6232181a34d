"""Rules for cutting answers off the bytes of a connection, one after another."""

from __future__ import annotations

import gc
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxy.http1.answer import AnswerReader
from proxy.model.message import Response

LENGTH = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
INTERIM = b"HTTP/1.1 103 x\r\n\r\n"
UNTIL_END = b"HTTP/1.1 200 OK\r\n\r\nab"


def reader(*, body_bytes_max: int = 64, head_request: bool = False) -> AnswerReader:
    """A reader that expects an answer."""
    made = AnswerReader(512, body_bytes_max)
    made.begin(head_request=head_request, reused=False)
    return made


def read(made: AnswerReader, *pieces: bytes) -> Response | str | None:
    """The result of the last piece; those before it must not have had one."""
    result: Response | str | None = None
    for piece in pieces:
        assert result is None
        result = made.feed(piece)
    return result


def one_by_one(data: bytes) -> list[bytes]:
    """Every byte a piece of its own."""
    return [data[at : at + 1] for at in range(len(data))]


ANSWERS: dict[str, tuple[bytes, bytes, bool]] = {
    "a length": (LENGTH, b"ok", True),
    "chunks": (CHUNKED + b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n", b"ab", True),
    "trailers": (CHUNKED + b"0\r\nA: b\r\n\r\n", b"", False),
    "interim ones before it": (INTERIM + INTERIM + LENGTH, b"ok", True),
    "closing": (LENGTH.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), b"ok", False),
    "204": (b"HTTP/1.1 204 x\r\n\r\n", b"", True),
}


@settings(max_examples=60)
@given(st.lists(st.sampled_from(sorted(ANSWERS)), min_size=1, max_size=4), st.data())
def test_one_answer_after_another(names: list[str], data: st.DataObject) -> None:
    """Each complete with its last byte and not before, until one of them is the last."""
    made = AnswerReader(512, 64)
    for name in names:
        wire, body, reusable = ANSWERS[name]
        cuts = sorted(data.draw(st.sets(st.integers(1, len(wire) - 1), max_size=3)))
        made.begin(head_request=False, reused=False)
        edges = zip([0, *cuts], [*cuts, len(wire)], strict=True)
        answer = read(made, *[wire[start:end] for start, end in edges])
        assert isinstance(answer, Response)
        assert (answer.body, made.reusable) == (body, reusable)
        if not reusable:
            break


@pytest.mark.parametrize("name", ANSWERS)
def test_bytes_behind_an_answer_end_its_connection(name: str) -> None:
    """The answer stands as it is."""
    wire, body, _ = ANSWERS[name]
    made = reader()
    answer = read(made, wire + b"x")
    assert isinstance(answer, Response)
    assert (answer.body, made.reusable) == (body, False)


def test_nothing_but_interim_answers_is_told() -> None:
    """So that their sender does not buy time with them; a begun final answer is something else."""
    made = reader()
    told = []
    for piece in (INTERIM, INTERIM + LENGTH[:12], LENGTH[12:-1], LENGTH[-1:]):
        assert isinstance(made.feed(piece), Response) is (piece == LENGTH[-1:])
        told.append(made.interim_only)
    assert told == [True, False, False, False]


def test_a_408_counts_only_on_a_fresh_connection() -> None:
    """On a reused one it was probably meant for the silence before the request."""
    late = LENGTH.replace(b"200", b"408")
    for pieces in ([late], one_by_one(late)):
        made = AnswerReader(512, 64)
        made.begin(head_request=False, reused=False)
        assert isinstance(read(made, *pieces), Response)
        made.begin(head_request=False, reused=True)
        result: Response | str | None = None
        for piece in pieces:
            result = result or made.feed(piece)
        assert result == "timeout_408_on_reused"


def test_the_end_of_the_wire() -> None:
    """Is the end of an answer that has no other, if that is allowed; else it is the reason."""
    cases = [
        (b"", "closed"),
        (INTERIM, "closed"),
        (LENGTH[:20], "closed"),
        (LENGTH[:-1], "closed"),
        (CHUNKED + b"1\r\na\r\n", "closed"),
        (UNTIL_END, "ends_by_eof"),
    ]
    for wire, reason in cases:
        made = reader()
        assert read(made, wire) is None
        assert made.end(allowed=False) == reason
        if reason == "closed":
            assert made.end(allowed=True) == reason
    made = reader()
    read(made, LENGTH)
    made.begin(head_request=False, reused=True)
    read(made, UNTIL_END)
    answer = made.end(allowed=True)
    assert isinstance(answer, Response)
    assert (answer.body, made.reusable) == (b"ab", False)


@pytest.mark.parametrize("wire", [LENGTH, CHUNKED + b"1\r\na\r\n0\r\n\r\n", UNTIL_END])
def test_an_answer_to_head_has_no_body(wire: bytes) -> None:
    """What follows its head is astray."""
    made = reader(head_request=True)
    end = wire.index(b"\r\n\r\n") + 4
    answer = read(made, *one_by_one(wire[:end]))
    assert isinstance(answer, Response)
    assert (answer.body, made.reusable) == (b"", True)
    made = reader(head_request=True)
    assert isinstance(read(made, wire), Response)
    assert not made.reusable


@pytest.mark.parametrize("chunked", [False, True])
def test_nothing_of_an_answer_is_kept(chunked: bool) -> None:
    """An idle connection holds no memory, and no customer's data, of the call before."""
    size = 1 << 20
    made = reader(body_bytes_max=size)
    tracemalloc.start()
    try:
        head = CHUNKED + b"%x\r\n" % size if chunked else LENGTH[:33] + b"%d\r\n\r\n" % size
        answer = read(made, head, b"a" * size + (b"\r\n0\r\n\r\n" if chunked else b""))
        assert isinstance(answer, Response)
        assert len(answer.body) == size
        del answer
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] < size // 2
    finally:
        tracemalloc.stop()
