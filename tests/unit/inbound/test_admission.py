"""`proxy.inbound.admission`: a bound on calls in flight, exact whatever becomes of them."""

from __future__ import annotations

import asyncio

import pytest

from proxy.inbound.admission import Admission
from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, Origin, Outcome, Refused
from tests.support.values import call, candidate, headers, request, response, route
from tests.unit.idempotency.values import KEYED

REACHED = Answered("acme", "a", response(), Execution.DONE)


async def test_as_many_as_allowed_run_and_the_next_is_shed() -> None:
    """503 with a hint to come back, execution none, before anything was done for it."""
    admission, go_on = Admission(2), asyncio.Event()

    async def inner(_: Call) -> Outcome:
        await go_on.wait()
        return REACHED

    handle = admission.layer()(inner)
    running = [asyncio.create_task(_run(handle(call()))) for _ in range(2)]
    await asyncio.sleep(0)
    assert admission.in_flight == 2
    shed = await handle(call())
    assert isinstance(shed, Refused)
    assert (shed.status, shed.reason, shed.origin) == (503, "in_flight_max", Origin.PROXY)
    assert shed.execution is Execution.NONE
    assert shed.retry_after_s is not None
    go_on.set()
    assert await asyncio.gather(*running) == [REACHED, REACHED]
    assert admission.in_flight == 0
    assert await handle(call()) is REACHED


@pytest.mark.parametrize(("keyed", "said"), [(True, Execution.UNKNOWN), (False, Execution.NONE)])
async def test_a_shed_call_with_a_key_may_have_run_before(keyed: bool, said: Execution) -> None:
    """The journal was not asked, so nobody can say that nothing was executed under the key."""
    fields = headers(("Idempotency-Key", "k1")) if keyed else []
    asked = call(request(b"POST", fields=fields), route(candidate(), idempotency=KEYED))
    shed = await Admission(0).layer()(_never)(asked)
    assert shed.execution is said


async def _never(_: Call) -> Outcome:
    raise AssertionError("nothing is admitted")


@pytest.mark.parametrize("error", [ZeroDivisionError(), asyncio.CancelledError()])
async def test_a_place_is_given_back_after_a_bug_and_after_a_cancellation(
    error: BaseException,
) -> None:
    """Places that leak would close the sidecar for ever."""
    admission = Admission(1)

    async def inner(_: Call) -> Outcome:
        raise error

    handle = admission.layer()(inner)
    for _ in range(3):
        with pytest.raises(type(error)):
            await handle(call())
    assert admission.in_flight == 0


async def _run(awaitable: object) -> Outcome:
    assert asyncio.iscoroutine(awaitable)
    outcome: Outcome = await awaitable
    return outcome
