"""Walks the call's candidates in order, and moves on only where nothing can be lost by it.

Where a call may go is asked again right before each candidate: an operator's word
counts for whatever has not gone there yet. A repetition is the exception. It goes
where the first sending went, whatever was said since, for what is in doubt there
can be settled nowhere else; yet by any way out that leads there.
"""

from __future__ import annotations

from dataclasses import replace

from proxy.model.call import Call
from proxy.model.clock import Clock
from proxy.model.outcome import Execution, Origin, Outcome, Refused
from proxy.model.route import Candidate
from proxy.pipeline.layer import AttemptHandler, Choice, Handler
from proxy.routing.choose import by_file
from proxy.routing.eligibility import may_try_again, more_telling, ways_to

_NO_CANDIDATE = Refused(
    "no_candidate", 503,
    "No upstream of this route may be called: operators have drained them, or forced it away.",
    Origin.PROXY, retry_after_s=5,
)  # fmt: skip


def failover(inner: AttemptHandler, clock: Clock, choice: Choice = by_file) -> Handler:
    """The lowest handler that knows the call alone; below it each attempt has its candidate."""

    async def handle(call: Call) -> Outcome:
        pinned = _pinned(call)
        method = call.request.method
        told: Outcome | None = None
        for candidate in call.candidates if pinned is None else pinned:
            if told is not None and clock.now() >= call.deadline_at:
                break
            if pinned is None and not _open(candidate, call, choice(call)):
                continue
            outcome = await inner(call, candidate)
            told = outcome if told is None else more_telling(told, outcome)
            if not may_try_again(outcome, candidate.rule, method):
                break
        return _nowhere(call) if told is None else told

    return handle


def _pinned(call: Call) -> tuple[Candidate, ...] | None:
    """Where alone a repetition may go; None for a call that is none."""
    if call.ticket is None or call.ticket.only_upstream is None:
        return None
    assert call.route is not None
    return ways_to(call.ticket.only_upstream, call.candidates, call.route)


def _open(candidate: Candidate, call: Call, now: tuple[Candidate, ...]) -> bool:
    """Whether the call may still go there."""
    return now is call.candidates or any(each is candidate for each in now)


def _nowhere(call: Call) -> Refused:
    """Without a journal's word an earlier call with this key may have run."""
    execution = Execution.UNKNOWN if call.may_be_repeated else Execution.NONE
    return replace(call.nowhere or _NO_CANDIDATE, execution=execution)
