"""Refuses before any durable work when there is too much already, the least important first.

    priority         admitted while fewer calls are in flight than
    best effort       60 % of in_flight_max
    back office       75 %
    authentication    90 %
    payment          100 %

Calls pile up when partners become slow, not when there are more of them; what is
piling up then is mostly not what matters. So each priority leaves room for those
above it: the last tenth is for payments alone, and best effort goes while there
are still four tenths to go, long before anybody else notices. A bound on what is
in flight, not on a rate: it needs no tuning to how fast partners are.
"""

from __future__ import annotations

import math
from typing import Any

from proxy.model.bulkhead import Priority
from proxy.model.call import Call
from proxy.model.outcome import Execution, Origin, Outcome, Refused
from proxy.pipeline.layer import Handler, Layer

SHARES = {
    Priority.BEST_EFFORT: 0.6,
    Priority.BACK_OFFICE: 0.75,
    Priority.AUTHENTICATION: 0.9,
    Priority.PAYMENT: 1.0,
}
_RETRY_AFTER_S = 1


class Admission:
    """Bounds the calls in flight; each holds up to a body, an answer and a connection."""

    def __init__(self, in_flight_max: int) -> None:
        self._in_flight_max = in_flight_max
        self._below = [math.ceil(SHARES[priority] * in_flight_max) for priority in Priority]
        self._by_priority = [0] * len(Priority)
        self._refused = [0] * len(Priority)
        self.in_flight = 0

    def layer(self) -> Layer:
        """The layer that admits or sheds."""
        below, by_priority = self._below, self._by_priority

        def layer(inner: Handler) -> Handler:
            async def handle(call: Call) -> Outcome:
                assert call.route is not None
                priority = call.route.priority
                if self.in_flight >= below[priority]:
                    return self._refuse(call, priority)
                self.in_flight += 1
                by_priority[priority] += 1
                try:
                    return await inner(call)
                finally:
                    self.in_flight -= 1
                    by_priority[priority] -= 1

            return handle

        return layer

    def _refuse(self, call: Call, priority: Priority) -> Refused:
        self._refused[priority] += 1
        full = self.in_flight >= self._in_flight_max
        what = priority.word.replace("_", " ")
        return Refused(
            "in_flight_max" if full else "shed",
            503,
            f"{self.in_flight} of {self._in_flight_max} calls are in flight; {what} is admitted "
            f"below {self._below[priority]}.",
            Origin.PROXY,
            # the journal was not asked: an earlier call with this key may have run
            Execution.UNKNOWN if call.may_be_repeated else Execution.NONE,
            retry_after_s=_RETRY_AFTER_S,
        )

    def report(self) -> dict[str, Any]:
        """The figures of this moment."""
        return {
            "in_flight": self.in_flight,
            "in_flight_max": self._in_flight_max,
            "priorities": [
                {
                    "priority": priority.word,
                    "admitted_below": self._below[priority],
                    "in_flight": self._by_priority[priority],
                    "refused": self._refused[priority],
                }
                for priority in reversed(Priority)
            ],
        }
