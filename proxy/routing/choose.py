"""The layer that says where a call may go. It stands above the claim, which fences the first.

It refuses nothing. Whether a call may be new is for the journal to say: one that
nobody would send may have its answer there, or may be the repetition of one that
is in doubt, which belongs where it was sent. So a call without candidates goes
on to its claim, and `failover` refuses what turns out to be new.
"""

from __future__ import annotations

from collections.abc import Awaitable

from proxy.model.call import Call
from proxy.model.outcome import Outcome
from proxy.model.route import Candidate
from proxy.pipeline.layer import Choice, Handler, Layer


def by_file(call: Call) -> tuple[Candidate, ...]:
    """All candidates of the route, in the order of the file."""
    assert call.route is not None
    return call.route.candidates


def choose(choice: Choice) -> Layer:
    """The layer that sets `call.candidates`."""

    def layer(inner: Handler) -> Handler:
        def handle(call: Call) -> Awaitable[Outcome]:
            call.candidates = choice(call)
            return inner(call)

        return handle

    return layer
