"""Rules for the rows that are kept by their ids."""

from __future__ import annotations

from proxy.idempotency.few_ids import FewIds


def test_rows_are_there_until_they_are_forgotten() -> None:
    """By the number; one that is not there is nothing to forget."""
    few = FewIds()
    few.keep([(1, b"a"), (2, b"b")])
    few.forget([1, 7])
    assert (few.number(b"a"), few.number(b"b"), few.number(b"c")) == (None, 2, None)
    assert b"a" not in few
    assert b"b" in few
    few.forget([1, 2])
    assert b"b" not in few


def test_an_id_that_has_another_number_by_now_stays() -> None:
    """Its row moved, and the old number is told of later."""
    few = FewIds()
    few.keep([(1, b"a")])
    few.keep([(9, b"a")])
    few.forget([1])
    assert few.number(b"a") == 9
    few.forget([9])
    assert b"a" not in few
