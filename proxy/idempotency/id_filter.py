"""PURE. Which ids a stretch of rows may have: Bloom filters, 4 bytes for each row.

A stretch has one filter of 16 bits a row for all of it, and one for each of its blocks. A new
key is in none, as nearly every key is, and then no index has to be asked for it. "No" is
certain. "Maybe" is wrong for one id in a thousand where the filter is full, so what is asked
after both is hardly ever asked in vain.

An id is a digest already, so its bits are taken as they are.
"""

from __future__ import annotations

SHIFT = 16
"""A stretch is 65,536 rows: those whose numbers are the same without these bits."""
BLOCK_SHIFT = 12
"""A block is 4096 of them."""
BLOCKS = 1 << (SHIFT - BLOCK_SHIFT)
_ALL_BYTES = 128 * 1024
_BLOCK_BYTES = 8 * 1024
BYTES = _ALL_BYTES + BLOCKS * _BLOCK_BYTES
"""Of a stretch's filters, one behind the other."""
_PLACE = _ALL_BYTES * 8 - 1
"""Bits are numbered with 20 bits; six such numbers are 15 of an id's 16 bytes."""
_BLOCK_PLACE = _BLOCK_BYTES * 8 - 1
_BIT_OF_BYTE = 7

Places = tuple[int, int, int, int, int, int]


def places(row_id: bytes) -> Places:
    """Which bits an id sets."""
    first = int.from_bytes(row_id[:5], "big")
    second = int.from_bytes(row_id[5:10], "big")
    third = int.from_bytes(row_id[10:15], "big")
    return (
        first & _PLACE, second & _PLACE, third & _PLACE, first >> 20, second >> 20, third >> 20,
    )  # fmt: skip


def add(bits: bytearray, row_id: bytes, number: int) -> None:
    """From now on the filters say "maybe" of the row with this id and number."""
    begin = _begin((number >> BLOCK_SHIFT) % BLOCKS)
    for place in places(row_id):
        bit = 1 << (place & _BIT_OF_BYTE)
        bits[place >> 3] |= bit
        bits[begin + ((place & _BLOCK_PLACE) >> 3)] |= bit


def may_have(bits: bytes | bytearray, at: Places) -> bool:
    """Whether an id with these places may be in the stretch."""
    return all(bits[place >> 3] & (1 << (place & _BIT_OF_BYTE)) for place in at)


def blocks(bits: bytes | bytearray, at: Places) -> list[int]:
    """The blocks of the stretch, from 0 on, that an id with these places may be in."""
    return [block for block in range(BLOCKS) if _in_block(bits, _begin(block), at)]


def _begin(block: int) -> int:
    return _ALL_BYTES + block * _BLOCK_BYTES


def _in_block(bits: bytes | bytearray, begin: int, at: Places) -> bool:
    return all(
        bits[begin + ((place & _BLOCK_PLACE) >> 3)] & (1 << (place & _BIT_OF_BYTE)) for place in at
    )
