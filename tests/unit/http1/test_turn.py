"""`proxy.http1.turn`: a turn of the loop, left to the others."""

from __future__ import annotations

import asyncio

from proxy.http1.turn import TURN


async def test_everybody_else_goes_first() -> None:
    """In the order in which they came; and each turn is one turn, however often it is awaited."""
    order: list[str] = []

    async def waits(name: str) -> None:
        order.append(f"{name} begins")
        await TURN
        order.append(f"{name} goes on")
        await TURN
        order.append(f"{name} ends")

    await asyncio.gather(waits("a"), waits("b"))
    assert order == ["a begins", "b begins", "a goes on", "b goes on", "a ends", "b ends"]
