"""The outermost layer: every ending of a call is told, refusals and bugs included."""

from __future__ import annotations

import asyncio
import traceback

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.events import Bug, CallEnded, Emit
from proxy.model.outcome import Execution, InDoubt, Origin, Outcome, Refused
from proxy.model.phase import Phase
from proxy.pipeline.layer import Handler, Layer


def observe(clock: Clock, emit: Emit) -> Layer:
    """The layer; a bug below becomes the outcome that is certainly true, and an event."""

    def layer(inner: Handler) -> Handler:
        async def handle(call: Call) -> Outcome:
            try:
                outcome = await inner(call)
            except asyncio.CancelledError:  # the drain's time is up; the call still ended
                emit(CallEnded(call, cut_short(call, "cancelled"), clock.now()))
                raise
            except Exception as error:  # noqa: BLE001 - a bug, and the caller is owed the truth
                emit(Bug(type(error).__name__, where(error)))
                outcome = cut_short(call, "bug")
            emit(CallEnded(call, outcome, clock.now()))
            return outcome

        return handle

    return layer


def cut_short(call: Call, reason: str) -> Outcome:
    """What can be said of a call that we did not bring to its end: none if nothing was sent.

    An earlier call with the same key may have been: then nothing is known of that.
    """
    for attempt in reversed(call.attempts):
        if attempt.sent_at:
            upstream = attempt.candidate.upstream
            return InDoubt(upstream.partner, upstream.name, Phase.BODY, reason, Origin.PROXY)
    execution = Execution.UNKNOWN if call.may_be_repeated else Execution.NONE
    detail = "The proxy failed before anything was sent."
    return Refused(reason, 500, detail, Origin.PROXY, execution)


def where(error: BaseException) -> str:
    """File and line of the failure; never its message, which may hold what was being handled."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return "unknown"
    last = frames[-1]
    return f"{last.filename.rpartition('/proxy/')[2]}:{last.lineno}"
