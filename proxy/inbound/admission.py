"""Refuses before any durable work when there is too much already."""

from __future__ import annotations

from proxy.model.call import Call
from proxy.model.outcome import Execution, Origin, Outcome, Refused
from proxy.pipeline.layer import Handler, Layer

_RETRY_AFTER_S = 1


class Admission:
    """Bounds the calls in flight; each holds up to a body, an answer and a connection."""

    def __init__(self, in_flight_max: int) -> None:
        self._in_flight_max = in_flight_max
        self.in_flight = 0

    def layer(self) -> Layer:
        """The layer that admits or sheds."""

        def layer(inner: Handler) -> Handler:
            async def handle(call: Call) -> Outcome:
                if self.in_flight >= self._in_flight_max:
                    return Refused(
                        "in_flight_max",
                        503,
                        "Too many calls are in flight.",
                        Origin.PROXY,
                        # the journal was not asked: an earlier call with this key may have run
                        Execution.UNKNOWN if call.may_be_repeated else Execution.NONE,
                        retry_after_s=_RETRY_AFTER_S,
                    )
                self.in_flight += 1
                try:
                    return await inner(call)
                finally:
                    self.in_flight -= 1

            return handle

        return layer
