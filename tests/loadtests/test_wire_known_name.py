"""The figure for a known name is taken from the resolver that connections ask."""

from __future__ import annotations

import asyncio

import pytest

from loadtests.wire import known_name


async def test_the_name_is_known_at_once() -> None:
    """All eight addresses, and nothing to wait for."""
    found = (await known_name.resolver()).resolve(known_name.HOST, 5.0)
    assert isinstance(found, list)
    assert len(found) == 8


def test_each_round_has_its_figure() -> None:
    """In microseconds."""
    assert [taken > 0.0 for taken in known_name.took_us(10, 3)] == [True] * 3


def test_a_name_that_has_to_be_waited_for_is_no_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the price of a waiting would be told as that of a lookup."""

    class Waiting:
        def resolve(self, *_: object) -> object:
            return asyncio.sleep

    async def resolver() -> Waiting:
        return Waiting()

    monkeypatch.setattr(known_name, "resolver", resolver)
    with pytest.raises(RuntimeError, match="not known"):
        known_name.took_us(1, 1)
