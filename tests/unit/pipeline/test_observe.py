"""`proxy.pipeline.observe`: every ending is told, and after a bug only what is certainly true."""

from __future__ import annotations

import asyncio

import pytest

from proxy.model.call import Call
from proxy.model.events import Bug, CallEnded, Event
from proxy.model.message import Response
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused
from proxy.pipeline.observe import observe, where
from tests.support.manual_clock import ManualClock
from tests.support.values import CARD, attempt, call, candidate, headers, request, route
from tests.unit.idempotency.values import KEYED


class _Observed:
    """The layer around a handler of the test's choosing."""

    def __init__(self, outcome: Outcome | BaseException) -> None:
        self.clock = ManualClock()
        self.events: list[Event] = []

        async def inner(made: Call) -> Outcome:
            self.clock.advance(1.5)
            if isinstance(outcome, BaseException):
                raise outcome
            return outcome

        self.handle = observe(self.clock, self.events.append)(inner)


async def test_an_ending_is_told_once_with_its_instant_and_passed_up() -> None:
    """The outcome travels on untouched."""
    answered = Answered("acme", "a", Response(200, [], b""), Execution.DONE)
    observed, made = _Observed(answered), call()
    assert await observed.handle(made) is answered
    assert observed.events == [CallEnded(made, answered, made.arrived_at + 1.5)]


async def test_a_refusal_is_an_ending_too() -> None:
    """What was refused below is recorded like everything else."""
    refused = Refused("token", 401, "No.")
    observed, made = _Observed(refused), call()
    assert await observed.handle(made) is refused
    assert [type(event) for event in observed.events] == [CallEnded]


async def test_a_bug_before_anything_was_sent_is_a_refusal_with_execution_none() -> None:
    """No attempt with a write behind it: nothing can have been executed."""
    observed, made = _Observed(ZeroDivisionError(CARD)), call()
    made.attempts = [attempt(1)]
    outcome = await observed.handle(made)
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.execution, outcome.origin) == (
        500,
        Execution.NONE,
        Origin.PROXY,
    )


async def test_a_bug_after_a_write_is_in_doubt_at_the_upstream_last_written_to() -> None:
    """Whatever else went wrong, a byte may have left: unknown, and never none."""
    observed, made = _Observed(KeyError(CARD)), call()
    made.attempts = [
        attempt(1, candidate("a"), sent_at=3.0),
        attempt(2, candidate("b", "bank"), sent_at=4.0),
        attempt(3, candidate("c"), sent_at=0.0),
    ]
    outcome = await observed.handle(made)
    assert isinstance(outcome, InDoubt)
    assert (outcome.partner, outcome.upstream) == ("bank", "b")
    assert (outcome.execution, outcome.reason) == (Execution.UNKNOWN, "bug")


async def test_a_bug_is_told_by_kind_and_place_and_never_by_its_message() -> None:
    """The message of an exception may hold what was being handled."""
    observed = _Observed(ValueError(f"cannot read {CARD}"))
    await observed.handle(call())
    bug, ended = observed.events
    assert isinstance(bug, Bug)
    assert isinstance(ended, CallEnded)
    assert bug.kind == "ValueError"
    assert bug.where.rpartition(":")[2].isdigit()
    assert CARD not in repr(bug)
    assert CARD not in repr(ended.outcome)


@pytest.mark.parametrize(("sent_at", "execution"), [(0.0, "none"), (9.0, "unknown")])
async def test_a_call_cut_by_the_drain_is_told_before_the_cancellation_passes(
    sent_at: float, execution: str
) -> None:
    """Cancellation is not swallowed, and a payment that was under way is not forgotten."""
    observed, made = _Observed(asyncio.CancelledError()), call()
    made.attempts = [attempt(1, sent_at=sent_at)]
    with pytest.raises(asyncio.CancelledError):
        await observed.handle(made)
    (ended,) = observed.events
    assert isinstance(ended, CallEnded)
    assert (ended.outcome.execution, ended.outcome.reason) == (execution, "cancelled")


def test_a_place_is_a_file_and_a_line() -> None:
    """Of the innermost frame; an exception that was never raised has none."""
    assert where(ValueError()) == "unknown"
    try:
        int("x")
    except ValueError as error:
        place = where(error)
    file, _, line = place.rpartition(":")
    assert file.endswith("test_observe.py")
    assert int(line) > 0


async def test_a_bug_on_the_way_of_a_repetition_is_unknown() -> None:
    """Nothing was sent by this call, but an earlier one with its key may have been executed."""
    asked = request(fields=headers(("Idempotency-Key", "k")))
    made = call(asked, route(candidate(), idempotency=KEYED))
    outcome = await _Observed(ZeroDivisionError()).handle(made)
    assert isinstance(outcome, Refused)
    assert (outcome.reason, outcome.execution) == ("bug", Execution.UNKNOWN)
