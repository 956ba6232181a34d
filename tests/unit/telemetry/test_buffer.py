"""`proxy.telemetry.buffer`: events wait a moment, in order, and never at a call's cost."""

from __future__ import annotations

import asyncio

import pytest

from proxy.model.events import BadRequest, Event
from proxy.telemetry.buffer import EventBuffer


class _Listening:
    """A buffer and what came out of it; the listener fails on reason `bad`."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.failed = 0
        self.buffer = EventBuffer(asyncio.get_running_loop(), self._tell, self._fail)

    def emit(self, *reasons: str) -> None:
        for reason in reasons:
            self.buffer.emit(BadRequest(reason, 400))

    def _tell(self, event: Event) -> None:
        assert isinstance(event, BadRequest)
        if event.reason == "bad":
            raise ValueError(event.reason)
        self.told.append(event.reason)

    def _fail(self) -> None:
        self.failed += 1


async def test_events_are_told_soon_and_in_order_without_being_asked_for() -> None:
    """Not at once, or calls would wait for their listeners; again and again."""
    listening = _Listening()
    for expected in (["a", "b"], ["a", "b", "c"]):
        listening.emit(*expected[len(listening.told) :])
        assert listening.told != expected
        async with asyncio.timeout(5.0):
            while listening.told != expected:
                await asyncio.sleep(0.005)


async def test_a_report_can_have_them_now() -> None:
    """And nothing is told twice."""
    listening = _Listening()
    listening.emit("a", "b")
    listening.buffer.flush()
    assert listening.told == ["a", "b"]
    listening.buffer.flush()
    await asyncio.sleep(0.05)
    assert listening.told == ["a", "b"]


async def test_what_waits_is_bounded() -> None:
    """Each event holds its call with both bodies."""
    listening = _Listening()
    waiting = 0
    for number in range(1000):
        listening.emit(str(number))
        waiting = max(waiting, number + 1 - len(listening.told))
    assert waiting <= 64
    listening.buffer.flush()
    assert listening.told == [str(number) for number in range(1000)]


@pytest.mark.parametrize("reasons", [["bad"], ["a", "bad", "b"], ["bad"] * 200])
async def test_a_listener_that_fails_loses_its_event_and_nothing_else(reasons: list[str]) -> None:
    """Whoever emits never sees it; the failure is counted."""
    listening = _Listening()
    listening.emit(*reasons)
    listening.buffer.flush()
    assert listening.told == [reason for reason in reasons if reason != "bad"]
    assert listening.failed == reasons.count("bad")


async def test_an_event_that_comes_while_others_are_told_is_not_lost() -> None:
    """A listener may cause another event."""
    told: list[str] = []

    def tell(event: Event) -> None:
        assert isinstance(event, BadRequest)
        told.append(event.reason)
        if event.reason == "first":
            buffer.emit(BadRequest("second", 400))

    buffer = EventBuffer(asyncio.get_running_loop(), tell, lambda: None)
    buffer.emit(BadRequest("first", 400))
    buffer.flush()
    buffer.flush()
    assert told == ["first", "second"]
