"""`proxy.pipeline.layer`: layers compose outermost first."""

from __future__ import annotations

import asyncio

from proxy.model.call import Call
from proxy.model.outcome import Outcome, Refused
from proxy.pipeline.layer import Handler, Layer, Ready, stack
from tests.support.values import call

END = Refused("end", 500, "The end.")


def _named(name: str, seen: list[str]) -> Layer:
    def layer(inner: Handler) -> Handler:
        async def handle(made: Call) -> Outcome:
            seen.append(f"{name} in")
            outcome = await inner(made)
            seen.append(f"{name} out")
            return outcome

        return handle

    return layer


async def test_the_first_layer_is_the_outermost() -> None:
    """A stack reads top to bottom as the call travels, and back up."""
    seen: list[str] = []

    async def end(made: Call) -> Outcome:
        seen.append("end")
        return END

    innermost: Handler = end
    handler = stack(_named("a", seen), _named("b", seen), innermost=innermost)
    assert await handler(call()) is END
    assert seen == ["a in", "b in", "end", "b out", "a out"]


async def test_without_layers_the_innermost_is_the_handler() -> None:
    """Nothing is added by composing nothing."""

    async def innermost(made: Call) -> Outcome:
        return END

    assert stack(innermost=innermost) is innermost


async def test_an_outcome_that_is_ready_is_given_without_a_turn_of_the_loop() -> None:
    """Nothing else runs in between, and it may be awaited like any other."""
    turned: list[bool] = []
    asyncio.get_running_loop().call_soon(turned.append, True)
    assert await Ready(END) is END
    assert turned == []
