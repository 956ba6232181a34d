"""`proxy.telemetry.sink`: every event is counted, and a listener that fails costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from proxy.model.clock import SystemClock
from proxy.model.events import (
    AttemptEnded,
    BadRequest,
    Bug,
    CallEnded,
    LateEnding,
    OverrideChanged,
    SettleGaveUp,
)
from proxy.model.outcome import Answered, Execution
from proxy.model.standing import Kind, Override
from proxy.telemetry.sink import Sink
from tests.support.prometheus import parse
from tests.support.values import attempt, call, response

DONE = Answered("acme", "a", response(), Execution.DONE)


@asynccontextmanager
async def _sink(heard: list[AttemptEnded], *, fails: bool = False) -> AsyncIterator[Sink]:
    def listen(event: AttemptEnded) -> None:
        heard.append(event)
        if fails:
            raise RuntimeError("a listener")

    sink = Sink(asyncio.get_running_loop(), SystemClock(), listen, log_calls=False)
    try:
        yield sink
    finally:
        sink.close()


def _counted(sink: Sink) -> dict[str, float]:
    families = parse("\n".join(sink.report({}, {}, "1", "h")) + "\n")
    names = ("tidegate_late_endings_total", "tidegate_bugs_total", "tidegate_calls_total")
    return {name: sum(families[name].samples.values()) for name in names}


async def test_a_report_counts_everything_up_to_now() -> None:
    """Events wait in a buffer; a scrape does not wait for the buffer."""
    async with _sink([]) as sink:
        sink.emit(CallEnded(call(), DONE, 1.0))
        sink.emit(LateEnding(call(), attempt(outcome=DONE)))
        sink.emit(Bug("ValueError", "app.py:1"))
        sink.emit(BadRequest("grammar", 400))
        assert sink.metrics.rejected == {}
        assert _counted(sink) == {
            "tidegate_late_endings_total": 1,
            "tidegate_bugs_total": 1,
            "tidegate_calls_total": 1,
        }
        assert sink.metrics.rejected == {"grammar": 1}


async def test_a_call_that_is_given_up_is_counted_and_told() -> None:
    """It stays in doubt until somebody looks into it."""
    async with _sink([]) as sink:
        sink.emit(SettleGaveUp("acme", "a", "authorize", "ab" * 16, 1000))
        report = list(sink.report({}, {}, "1", "h"))
        assert "tidegate_settle_gave_up_total 1" in report


async def test_an_operators_word_is_counted_and_told(capfd: pytest.CaptureFixture[str]) -> None:
    """Also where calls are not logged."""
    drain = Override(Kind.DRAIN, "", "a", "why", "ann", 0.0, 60.0, 60.0)
    async with _sink([]) as sink:
        sink.emit(OverrideChanged("set", drain, 60.0))
        name = "tidegate_route_override_changes_total"
        assert f'{name}{{kind="drain",change="set"}} 1' in list(sink.report({}, {}, "1", "h"))
    assert '"event": "route_override"' in capfd.readouterr().out


async def test_attempts_are_told_on() -> None:
    """Whoever watches partners hears of every attempt, in order."""
    heard: list[AttemptEnded] = []
    told = [AttemptEnded(call(), attempt(outcome=DONE)) for _ in range(3)]
    async with _sink(heard) as sink:
        for event in told:
            sink.emit(event)
        sink.flush()
        assert heard == told


async def test_a_listener_that_fails_loses_its_event_and_nothing_else() -> None:
    """It is counted as a bug, and the next event is told."""
    heard: list[AttemptEnded] = []
    async with _sink(heard, fails=True) as sink:
        sink.emit(AttemptEnded(call(), attempt(outcome=DONE)))
        sink.emit(CallEnded(call(), DONE, 1.0))
        counted = _counted(sink)
    assert len(heard) == 1
    assert counted["tidegate_bugs_total"] == 1
    assert counted["tidegate_calls_total"] == 1
