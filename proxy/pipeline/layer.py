"""How layers compose.

A layer is a function from the handler below it to a handler. There are two
heights: above failover a handler takes the call; below it, the call and the
candidate that this attempt is for. `stack` reads top to bottom, as the call
travels.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar

from proxy.model.call import Call
from proxy.model.message import Response
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate

Handler = Callable[[Call], Awaitable[Outcome]]
AttemptHandler = Callable[[Call, Candidate], Awaitable[Outcome]]
Replier = Callable[[Call], Awaitable[Response]]

Layer = Callable[[Handler], Handler]
AttemptLayer = Callable[[AttemptHandler], AttemptHandler]

H = TypeVar("H")


def stack(*layers: Callable[[H], H], innermost: H) -> H:
    """One handler from layers given outermost first."""
    handler = innermost
    for layer in reversed(layers):
        handler = layer(handler)
    return handler
