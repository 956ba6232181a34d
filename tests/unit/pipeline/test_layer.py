"""`proxy.pipeline.layer`: layers compose outermost first."""

from __future__ import annotations

from proxy.model.call import Call
from proxy.model.outcome import Outcome, Refused
from proxy.pipeline.layer import Handler, Layer, stack
from tests.support.values import call


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
    end = Refused("end", 500, "The end.")

    async def innermost(made: Call) -> Outcome:
        seen.append("end")
        return end

    handler = stack(_named("a", seen), _named("b", seen), innermost=innermost)
    assert await handler(call()) is end
    assert seen == ["a in", "b in", "end", "b out", "a out"]


async def test_without_layers_the_innermost_is_the_handler() -> None:
    """Nothing is added by composing nothing."""

    async def innermost(made: Call) -> Outcome:
        return Refused("end", 500, "The end.")

    assert stack(innermost=innermost) is innermost
