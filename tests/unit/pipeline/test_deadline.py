"""`proxy.pipeline.deadline`: one budget, fixed at arrival, that callers may only shorten."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, Origin, Outcome, Refused
from proxy.pipeline.deadline import deadline
from tests.support.manual_clock import START_S, ManualClock
from tests.support.values import call, response, route

REACHED = Answered("acme", "a", response(), Execution.DONE)


async def _through(made: Call, *, late_by_s: float = 0.0) -> Outcome:
    clock = ManualClock()
    clock.advance(late_by_s)

    async def inner(_: Call) -> Outcome:
        return REACHED

    return await deadline(clock)(inner)(made)


def _asking(value: bytes) -> Call:
    return call(taken=route(deadline_s=30.0), said={b"tidegate-deadline-ms": value})


async def test_the_deadline_is_the_routes_counted_from_the_first_byte() -> None:
    """Time spent on reading a slow request is not given back."""
    made = call(taken=route(deadline_s=12.0))
    assert await _through(made, late_by_s=5.0) is REACHED
    assert made.deadline_at == START_S + 12.0


@given(st.integers(min_value=1, max_value=999_999_999))
async def test_the_application_shortens_and_never_lengthens(asked_ms: int) -> None:
    """The earlier of both instants is in force."""
    made = _asking(b"%d" % asked_ms)
    assert await _through(made) is REACHED
    assert made.deadline_at == START_S + min(30.0, asked_ms / 1000)


@pytest.mark.parametrize(
    "value",
    [b"", b"0", b"000", b"-5", b"+5", b"1.5", b"1e3", b"5 ", b"5ms", b"\xd9\xa3", b"1234567890"],
)
async def test_a_malformed_budget_is_refused_and_not_guessed(value: bytes) -> None:
    """400, nothing sent, and the value is not repeated."""
    outcome = await _through(_asking(value))
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.reason) == (400, "deadline_header")
    assert outcome.execution is Execution.NONE
    assert value == b"" or value.decode("latin-1") not in outcome.detail.replace("above 0", "")


@pytest.mark.parametrize("late_by_s", [0.25, 0.251, 3600.0])
async def test_a_call_that_is_late_already_is_not_sent(late_by_s: float) -> None:
    """A process that was stopped for an hour must not send; the doing is ours."""
    outcome = await _through(_asking(b"250"), late_by_s=late_by_s)
    assert isinstance(outcome, Refused)
    assert (outcome.status, outcome.reason, outcome.origin) == (504, "deadline", Origin.PROXY)
    assert outcome.execution is Execution.NONE


async def test_the_last_instant_still_counts() -> None:
    """Just before the deadline the call goes on."""
    assert await _through(_asking(b"250"), late_by_s=0.249) is REACHED
