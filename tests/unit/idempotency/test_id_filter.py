"""Rules for the filter of ids: "no" is certain, and "maybe" is seldom wrong."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from proxy.idempotency.id_filter import BYTES, SHIFT, add, may_have, places

IDS = st.binary(min_size=16, max_size=16)


@given(st.lists(IDS, max_size=50), IDS)
def test_what_was_added_may_be_there(added: list[bytes], other: bytes) -> None:
    """Always; and of an empty filter nothing is."""
    bits = bytearray(BYTES)
    assert not may_have(bits, places(other))
    for each in added:
        add(bits, each)
    assert all(may_have(bits, places(each)) for each in added)
    assert all(may_have(bytes(bits), places(each)) for each in added)


@given(IDS)
def test_every_place_is_within_the_filter(row_id: bytes) -> None:
    """Of any id: it may be all ones."""
    assert all(0 <= place < BYTES * 8 for place in (*places(row_id), *places(b"\xff" * 16)))


def test_a_full_filter_is_wrong_for_one_id_in_a_thousand() -> None:
    """With as many rows as a stretch has; a filter of ones would say maybe of all."""
    chance = random.Random(1)
    bits = bytearray(BYTES)
    for _ in range(1 << SHIFT):
        add(bits, chance.randbytes(16))
    wrong = sum(may_have(bits, places(chance.randbytes(16))) for _ in range(20_000))
    assert 5 <= wrong <= 40
