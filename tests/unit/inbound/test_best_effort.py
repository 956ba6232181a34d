"""`proxy.inbound.best_effort`: calls that go on behind their answers, bounded."""

from __future__ import annotations

import asyncio

import pytest

from proxy.inbound.best_effort import Background
from proxy.model.bulkhead import BestEffort
from proxy.model.call import Call
from proxy.model.outcome import Answered, Execution, InDoubt, Outcome, Refused
from proxy.model.route import Route
from tests.support.values import call, candidate, response, route

REACHED = Answered("acme", "a", response(), Execution.DONE)


def effort(*, wait: bool, at_work_max: int = 2) -> Route:
    """A best-effort route."""
    own = BestEffort(response(204), wait, at_work_max)
    return route(candidate(), name="track", best_effort=own)


def report(**over: int) -> list[dict[str, object]]:
    """What is told of the route when nothing has happened, but for these."""
    return [{"route": "track", "at_work": 0, "refused": 0, "answered": 0, "failed": 0, **over}]


class Partner:
    """What is below: holds every call until `go_on`."""

    def __init__(self, error: Exception | None = None) -> None:
        self.go_on = asyncio.Event()
        self.reached = 0
        self._error = error

    async def handle(self, _: Call) -> Outcome:
        """One call."""
        self.reached += 1
        await self.go_on.wait()
        if self._error is not None:
            raise self._error
        return REACHED


async def test_a_call_that_nobody_waits_for_is_answered_at_once_and_made_behind_it() -> None:
    """Unknown is what can be said of it then."""
    partner, background = Partner(), Background(lambda _: None)
    handle = background.layer()(partner.handle)
    told = await handle(call(taken=effort(wait=False)))
    assert isinstance(told, InDoubt)
    assert (told.reason, told.execution) == ("in_background", Execution.UNKNOWN)
    await asyncio.sleep(0)
    assert partner.reached == 1
    partner.go_on.set()
    await background.drain(1.0)
    assert background.report() == report(answered=1)


async def test_more_than_may_be_at_work_are_shed_and_counted() -> None:
    """Proven unsent; the next one goes when there is room again."""
    partner, background = Partner(), Background(lambda _: None)
    handle = background.layer()(partner.handle)
    told = [await handle(call(taken=effort(wait=False))) for _ in range(3)]
    shed = told[2]
    assert isinstance(shed, Refused)
    assert (shed.reason, shed.execution) == ("background_full", Execution.NONE)
    assert background.report() == report(at_work=2, refused=1)
    partner.go_on.set()
    await background.drain(1.0)
    assert isinstance(await handle(call(taken=effort(wait=False))), InDoubt)
    await background.drain(1.0)


async def test_all_other_calls_pass_through() -> None:
    """Payments, and best effort that is waited for."""
    partner, background = Partner(), Background(lambda _: None)
    partner.go_on.set()
    handle = background.layer()(partner.handle)
    assert await handle(call()) is REACHED
    assert await handle(call(taken=effort(wait=True))) is REACHED
    assert background.report() == []


async def test_a_bug_behind_the_answer_is_told() -> None:
    """Nobody else would hear of it."""
    bug, bugs = ZeroDivisionError(), list[BaseException]()
    partner, background = Partner(bug), Background(bugs.append)
    partner.go_on.set()
    await background.layer()(partner.handle)(call(taken=effort(wait=False)))
    await asyncio.wait_for(_until(lambda: bool(bugs)), 1.0)
    assert bugs == [bug]
    assert background.report() == report(failed=1)


@pytest.mark.parametrize(
    ("outcome", "answered"),
    [
        (Answered("acme", "a", response(404), Execution.DONE), True),
        (Answered("acme", "a", response(503), Execution.UNKNOWN), False),
        (Refused("bulkhead_full", 503, "Full."), False),
    ],
)
async def test_how_it_ended_is_counted(outcome: Outcome, answered: bool) -> None:
    """As the reply table tells an answer from a failure."""

    async def inner(_: Call) -> Outcome:
        return outcome

    background = Background(lambda _: None)
    await background.layer()(inner)(call(taken=effort(wait=False)))
    await background.drain(1.0)
    assert background.report() == report(answered=int(answered), failed=int(not answered))


async def test_the_drain_cuts_what_does_not_end() -> None:
    """It waits as long as it may, and no longer."""
    partner, background = Partner(), Background(lambda _: None)
    await background.layer()(partner.handle)(call(taken=effort(wait=False)))
    await background.drain(0.01)
    assert background.report() == report(failed=1)
    await background.drain(0.01)


async def _until(true: object) -> None:
    assert callable(true)
    while not true():
        await asyncio.sleep(0)
