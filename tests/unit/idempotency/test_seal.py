"""Rules for sealed answers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.idempotency.seal import Sealer, SealError, _pack, unpack
from proxy.model.message import Response, header

OLD, NEW = b"o" * 32, b"n" * 32
ROW = b"r" * 16
LATIN = st.binary(min_size=1, max_size=8).filter(lambda text: b"\n" not in text)
NAME = LATIN.filter(lambda text: b":" not in text)


def test_what_was_sealed_opens_for_its_row_alone() -> None:
    """Moved to another row, an answer would be another payment's."""
    sealer = Sealer({"k1": OLD})
    sealed = sealer.seal(ROW, b"plain")
    assert b"plain" not in sealed
    assert sealer.open(ROW, sealed) == b"plain"
    with pytest.raises(SealError, match="altered"):
        sealer.open(b"x" * 16, sealed)


def test_the_same_answer_is_never_sealed_alike() -> None:
    """Each has a nonce of its own."""
    sealer = Sealer({"k1": OLD})
    assert sealer.seal(ROW, b"plain") != sealer.seal(ROW, b"plain")


@pytest.mark.parametrize("position", [3, 20, -1])
def test_an_altered_answer_does_not_open(position: int) -> None:
    """Not one bit of nonce, text or tag."""
    sealer = Sealer({"k1": OLD})
    sealed = bytearray(sealer.seal(ROW, b"plain"))
    sealed[position] ^= 1
    with pytest.raises(SealError):
        sealer.open(ROW, bytes(sealed))


def test_keys_are_rotated_by_putting_a_new_one_in_front() -> None:
    """Old answers still open; without their key they do not, and the key is named."""
    sealed = Sealer({"old": OLD}).seal(ROW, b"plain")
    rotated = Sealer({"new": NEW, "old": OLD})
    assert rotated.open(ROW, sealed) == b"plain"
    assert not rotated.current(sealed)
    assert rotated.current(rotated.seal(ROW, b"plain"))
    with pytest.raises(SealError, match="'old'"):
        Sealer({"new": NEW}).open(ROW, sealed)


@pytest.mark.parametrize("sealed", [b"", b"\x02", b"\x02k1", b"\x02k1short"])
def test_what_is_too_short_does_not_open(sealed: bytes) -> None:
    """A torn value is an error, not a crash."""
    with pytest.raises(SealError):
        Sealer({"k1": OLD}).open(ROW, sealed)


@given(st.integers(200, 599), st.lists(st.tuples(NAME, LATIN), max_size=4), st.binary(max_size=40))
def test_an_answer_comes_back_byte_for_byte(
    status: int, pairs: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Any bytes in headers and body, line feeds in the body too."""
    answer = Response(status, [header(name, value) for name, value in pairs], body)
    assert unpack(_pack(answer)) == answer


def test_a_cards_secrets_are_not_even_sealed() -> None:
    """They are cut out; where they cannot be, there is no answer at all."""
    sealer = Sealer({"k": b"k" * 32}, ["cvv"])
    sealed = sealer.seal_answer(ROW, Response(201, [], b'{"cvv": 1, "a": 2}'))
    assert unpack(sealer.open(ROW, sealed)) == Response(201, [], b'{"a": 2}')
    assert sealer.seal_answer(ROW, Response(201, [], b"<cvv>737</cvv>")) == b""


@pytest.mark.parametrize("packed", [b'[201,[["A","b"]]]\nbody', b"", b"\n\n"])
def test_what_was_packed_otherwise_is_not_opened(packed: bytes) -> None:
    """The call was executed all the same, and a retry is told so."""
    with pytest.raises(SealError):
        unpack(packed)
