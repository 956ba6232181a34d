"""How layers compose.

A layer is a function from the handler below it to a handler. There are two
heights: above failover a handler takes the call; below it, the call and the
candidate that this attempt is for. `stack` reads top to bottom, as the call
travels.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from typing import TypeVar

from proxy.model.call import Call
from proxy.model.message import Response
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate

Handler = Callable[[Call], Awaitable[Outcome]]
AttemptHandler = Callable[[Call, Candidate], Awaitable[Outcome]]
Replier = Callable[[Call], Awaitable[Response]]
Choice = Callable[[Call], tuple[Candidate, ...]]
"""Where a call that has its route may go at this moment."""

Layer = Callable[[Handler], Handler]
AttemptLayer = Callable[[AttemptHandler], AttemptHandler]

H = TypeVar("H")


class Ready:
    """An outcome that needs no waiting for.

    A layer that decides before the call goes down, and has nothing to do when
    it comes back, is a plain function: it returns either what the handler
    below returns, or this. A coroutine for each would cost every call.
    """

    __slots__ = ("_outcome",)

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome

    def __await__(self) -> Generator[None, None, Outcome]:
        """Give the outcome at once."""
        yield from ()
        return self._outcome


def stack(*layers: Callable[[H], H], innermost: H) -> H:
    """One handler from layers given outermost first."""
    handler = innermost
    for layer in reversed(layers):
        handler = layer(handler)
    return handler
