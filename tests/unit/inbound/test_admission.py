"""`proxy.inbound.admission`: a bound on calls in flight, exact whatever becomes of them."""

from __future__ import annotations

import asyncio

import pytest

from proxy.inbound.admission import SHARES, Admission
from proxy.model.bulkhead import Priority
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


async def _occupy(
    admission: Admission, number: int
) -> tuple[asyncio.Event, list[asyncio.Task[Outcome]]]:
    """So many payments in flight, until the event."""
    go_on = asyncio.Event()

    async def inner(_: Call) -> Outcome:
        await go_on.wait()
        return REACHED

    handle = admission.layer()(inner)
    running = [asyncio.create_task(_run(handle(call()))) for _ in range(number)]
    await asyncio.sleep(0)
    return go_on, running


@pytest.mark.parametrize("priority", Priority)
async def test_each_priority_is_shed_at_its_own_share(priority: Priority) -> None:
    """The last one admitted is the last below it; payments may fill the house."""
    admission, share = Admission(100), SHARES[priority]
    asked = call(taken=route(candidate(), priority=priority))
    go_on, running = await _occupy(admission, round(100 * share) - 1)
    assert await admission.layer()(_reached)(asked) is REACHED
    go_on.set()
    await asyncio.gather(*running)
    go_on, running = await _occupy(admission, round(100 * share))
    shed = await admission.layer()(_reached)(asked)
    assert isinstance(shed, Refused)
    assert shed.reason == ("in_flight_max" if priority is Priority.PAYMENT else "shed")
    assert f"{round(100 * share)} of 100 calls are in flight" in shed.detail
    go_on.set()
    await asyncio.gather(*running)


def test_the_less_a_call_matters_the_sooner_it_is_shed() -> None:
    """Payment, authentication, back office, best effort; payments at the very end."""
    shares = [SHARES[priority] for priority in sorted(Priority, reverse=True)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] == 1.0
    assert len(set(shares)) == len(Priority)


async def test_a_small_house_still_serves_everybody() -> None:
    """Where there is one place, whoever comes first has it."""
    admission = Admission(1)
    for priority in Priority:
        asked = call(taken=route(candidate(), priority=priority))
        assert await admission.layer()(_reached)(asked) is REACHED


async def test_what_was_shed_is_told_by_priority() -> None:
    """With the threshold, and what is in flight."""
    admission = Admission(10)
    go_on, running = await _occupy(admission, 9)
    await admission.layer()(_reached)(call(taken=route(candidate(), priority=Priority.BACK_OFFICE)))
    report = admission.report()
    assert (report["in_flight"], report["in_flight_max"]) == (9, 10)
    assert report["priorities"] == [
        {"priority": "payment", "admitted_below": 10, "in_flight": 9, "refused": 0},
        {"priority": "authentication", "admitted_below": 9, "in_flight": 0, "refused": 0},
        {"priority": "back_office", "admitted_below": 8, "in_flight": 0, "refused": 1},
        {"priority": "best_effort", "admitted_below": 6, "in_flight": 0, "refused": 0},
    ]
    go_on.set()
    await asyncio.gather(*running)


async def _reached(_: Call) -> Outcome:
    return REACHED


async def _run(awaitable: object) -> Outcome:
    assert asyncio.iscoroutine(awaitable)
    outcome: Outcome = await awaitable
    return outcome
