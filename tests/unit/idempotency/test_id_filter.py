"""Rules for the filters of ids: "no" is certain, and "maybe" is seldom wrong."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from proxy.idempotency.id_filter import BLOCKS, BYTES, SHIFT, add, blocks, may_have, places

IDS = st.binary(min_size=16, max_size=16)
NUMBERS = st.integers(min_value=1, max_value=(1 << 40))


@given(st.lists(st.tuples(IDS, NUMBERS), max_size=50), IDS)
def test_what_was_added_may_be_there(added: list[tuple[bytes, int]], other: bytes) -> None:
    """Always, and in its block; and of an empty filter nothing is."""
    bits = bytearray(BYTES)
    assert not may_have(bits, places(other))
    assert blocks(bits, places(other)) == []
    for row_id, number in added:
        add(bits, row_id, number)
    for kept in (bits, bytes(bits)):
        for row_id, number in added:
            assert may_have(kept, places(row_id))
            assert (number >> 12) % 16 in blocks(kept, places(row_id))


@given(IDS, NUMBERS)
def test_any_id_has_its_places(row_id: bytes, number: int) -> None:
    """Within the filters, and in one block alone: an id may be all ones."""
    for each in (row_id, b"\xff" * 16):
        bits = bytearray(BYTES)
        add(bits, each, number)
        assert len(bits) == BYTES
        assert blocks(bits, places(each)) == [(number >> 12) % BLOCKS]


def test_full_filters_are_wrong_for_one_id_in_a_thousand() -> None:
    """With as many rows as a stretch has; filters of ones would say maybe of all."""
    chance = random.Random(1)
    bits = bytearray(BYTES)
    kept = []
    for number in range(1 << SHIFT):
        kept.append(chance.randbytes(16))
        add(bits, kept[-1], number)
    others = [places(chance.randbytes(16)) for _ in range(20_000)]
    assert 5 <= sum(may_have(bits, each) for each in others) <= 40
    assert sum(len(blocks(bits, each)) for each in others[:2000]) <= 80
    found = [blocks(bits, places(row_id)) for row_id in kept[::100]]
    assert sum(len(each) for each in found) <= len(found) * 1.05
