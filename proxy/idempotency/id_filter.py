"""PURE. Which ids a stretch of rows may have: a Bloom filter of 16 bits for each row.

A new key is in none, as nearly every key is, and then no index has to be asked for it.
"No" is certain. "Maybe" is wrong for one id in a thousand, where a stretch is full.
An id is a digest already, so its bits are taken as they are.
"""

from __future__ import annotations

SHIFT = 16
"""A stretch is 65,536 rows: those whose numbers are the same without these bits."""
BYTES = 128 * 1024
_PLACE = (1 << 20) - 1
"""A filter's bits are numbered with 20 bits; six such numbers are 15 of an id's 16 bytes."""
_BIT_OF_BYTE = 7


def places(row_id: bytes) -> tuple[int, int, int, int, int, int]:
    """Which bits an id sets."""
    first = int.from_bytes(row_id[:5], "big")
    second = int.from_bytes(row_id[5:10], "big")
    third = int.from_bytes(row_id[10:15], "big")
    return (
        first & _PLACE, second & _PLACE, third & _PLACE, first >> 20, second >> 20, third >> 20,
    )  # fmt: skip


def add(bits: bytearray, row_id: bytes) -> None:
    """From now on the filter says "maybe" of this id."""
    for place in places(row_id):
        bits[place >> 3] |= 1 << (place & _BIT_OF_BYTE)


def may_have(bits: bytes | bytearray, at: tuple[int, int, int, int, int, int]) -> bool:
    """Whether an id with these places may have been added."""
    return all(bits[place >> 3] & (1 << (place & _BIT_OF_BYTE)) for place in at)
