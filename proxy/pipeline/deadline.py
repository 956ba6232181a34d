"""One total budget for everything done for a call, fixed at its arrival.

It is an instant on the call, visible to everything below; each wait takes the
smaller of its own bound and what is left of it. The application may shorten it
for one call with `Tidegate-Deadline-Ms`, never lengthen it.
"""

from __future__ import annotations

from collections.abc import Awaitable

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.outcome import Origin, Outcome, Refused
from proxy.pipeline.layer import Handler, Layer, Ready

_MALFORMED = Refused(
    "deadline_header", 400, "Tidegate-Deadline-Ms must be a whole number of milliseconds above 0."
)
_PASSED = Refused(
    "deadline", 504, "The deadline had passed before anything was sent.", Origin.PROXY
)


def deadline(clock: Clock) -> Layer:
    """The layer that sets `call.deadline_at`."""

    def layer(inner: Handler) -> Handler:
        def handle(call: Call) -> Awaitable[Outcome]:
            assert call.route is not None
            budget_s = call.route.deadline_s
            asked = call.said.get(b"tidegate-deadline-ms")
            if asked is not None:
                if not asked.isdigit() or len(asked) > 9 or int(asked) == 0:
                    return Ready(_MALFORMED)
                budget_s = min(budget_s, int(asked) / 1000)
            call.deadline_at = call.arrived_at + budget_s
            if clock.now() >= call.deadline_at:
                return Ready(_PASSED)
            return inner(call)

        return handle

    return layer
