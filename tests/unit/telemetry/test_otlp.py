"""`proxy.telemetry.otlp`: what becomes a trace, what is counted, and when metrics leave."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlsplit

import pytest

from proxy.model.events import (
    AttemptEnded,
    BreakerChanged,
    CallEnded,
    CollectorChanged,
    Event,
    LateEnding,
)
from proxy.model.telemetry import Collector, Exporting, Keeping
from proxy.telemetry.metrics import Metrics
from proxy.telemetry.otlp import About, Otlp
from proxy.telemetry.points import Snapshot
from tests.support.collector import Received, attributes, http_collector
from tests.support.manual_clock import WALL_START_S, ManualClock
from tests.support.prometheus import Family, parse
from tests.support.values import call, route
from tests.unit.telemetry.traced import DOUBT, UNSENT, done, ended, keyed


@dataclass
class House:
    """What surrounds an exporter."""

    received: Received
    exporting: Exporting
    clock: ManualClock = field(default_factory=ManualClock)
    events: list[Event] = field(default_factory=list)
    metrics: Metrics = field(default_factory=Metrics)
    turns: list[Callable[[], None]] = field(default_factory=list)

    def otlp(self, **over: Any) -> Otlp:
        def snapshot(began_ns: int, at_ns: int) -> Snapshot:
            return Snapshot(began_ns, at_ns, *self.metrics.counted(), [])

        return Otlp(
            replace(self.exporting, **over), About("1.2", "hash", "instance"), self.clock,
            lambda: b"5" * 16, {}, snapshot, self.events.append,
            lambda _, turn: self.turns.append(turn),
        )  # fmt: skip


@pytest.fixture
def house() -> Iterator[House]:
    """With a collector that takes everything."""
    with http_collector() as (url, received):
        port = urlsplit(url).port
        assert port is not None
        collector = Collector(False, "127.0.0.1", port, "", timeout_s=2.0)
        yield House(received, Exporting(collector, Keeping(sample_ratio=0.0)))


def _rendered(otlp: Otlp) -> dict[str, Family]:
    return parse("\n".join(otlp.render()) + "\n")


def test_a_call_that_is_kept_arrives_with_the_walls_time(house: House) -> None:
    """And with who sent it."""
    otlp = house.otlp()
    otlp.call(ended(UNSENT))
    otlp.close()
    whole, _ = house.received.spans()
    assert whole.start_time_unix_nano == WALL_START_S * 1e9
    said = house.received.resources()[0]
    assert (said["service.version"], said["tidegate.config.hash"]) == ("1.2", "hash")
    assert _rendered(otlp)["tidegate_telemetry_sent_total"].value(
        "tidegate_telemetry_sent_total", signal="traces"
    ) == 1  # fmt: skip


def test_what_is_not_kept_costs_nothing_more(house: House) -> None:
    """No record, no span id, no place in the queue."""
    otlp = house.otlp()
    for _ in range(5):
        otlp.call(ended(done()))
    otlp.close()
    assert len(house.received.spans()) == 2  # the first one of its kind, and its attempt


def test_questions_of_our_own_are_traces_linked_to_their_call(house: House) -> None:
    """A settling attempt leads to the call that it settles."""
    otlp = house.otlp()
    first = ended(DOUBT)
    keyed(first.call)
    otlp.call(first)
    asked = ended(UNSENT)
    asked.call.route, asked.call.about = route(name="(settle)"), b"r" * 16
    otlp.attempt(AttemptEnded(asked.call, asked.call.attempts[0]))
    otlp.attempt(AttemptEnded(first.call, first.call.attempts[0]))
    otlp.close()
    settling = [span for span in house.received.spans() if "(settle)" in span.name]
    assert [span.links[0].trace_id for span in settling] == [
        bytes.fromhex(first.call.trace_id.decode())
    ]


def test_a_late_answer_is_a_span_below_its_attempt(house: House) -> None:
    """The caller had been told of the doubt already."""
    event = ended(DOUBT)
    attempt = event.call.attempts[0]
    otlp = house.otlp()
    otlp.late(LateEnding(event.call, attempt))
    attempt.late_outcome = done()
    otlp.late(LateEnding(event.call, attempt))
    otlp.close()
    (late,) = house.received.spans()
    assert late.parent_span_id.hex() == attempt.span_id.decode()
    assert attributes(late.attributes)["tidegate.outcome"] == "answered"


def test_metrics_leave_at_each_interval_and_at_the_end(house: House) -> None:
    """Counted since the start, so that a lost export loses nothing."""
    house.metrics.call(ended(done()))
    otlp = house.otlp()
    otlp.tick()
    house.clock.advance(30.0)
    otlp.tick()
    while house.turns:
        house.turns.pop()()
    house.received.wait("metrics")
    otlp.close()
    point = house.received.metrics()["tidegate.call.duration"][0].histogram.data_points[0]
    assert len(house.received.bodies["metrics"]) == 2
    assert point.start_time_unix_nano == WALL_START_S * 1e9


def test_each_signal_can_be_off(house: House) -> None:
    """Then nothing of it leaves."""
    for over in ({"traces": False}, {"metrics": False}):
        otlp = house.otlp(**over)
        event = ended(UNSENT)
        otlp.call(event)
        event.call.attempts[0].late_outcome = done()
        otlp.late(LateEnding(event.call, event.call.attempts[0]))
        house.clock.advance(60.0)
        otlp.tick()
        otlp.close()
    assert len(house.received.bodies["traces"]) == 1
    assert len(house.received.bodies["metrics"]) >= 1


def test_too_many_at_once_are_counted(house: House) -> None:
    """In an outage every call fails."""
    otlp = house.otlp(keeping=Keeping(traces_per_s_max=2.0))
    for _ in range(5):
        otlp.call(CallEnded(call(), DOUBT, 1000.0))
    lost = _rendered(otlp)["tidegate_telemetry_dropped_total"]
    otlp.close()
    name = "tidegate_telemetry_dropped_total"
    assert lost.value(name, signal="traces", reason="traces_per_s_max") == 4


def test_a_collector_that_fails_is_told_once(house: House) -> None:
    """And once more when it works again."""
    otlp = house.otlp()
    for trouble in ("refused", "refused", "timeout", ""):
        otlp._exporter.trouble = trouble
        otlp.tick()
    otlp.close()
    assert house.events == [CollectorChanged(each) for each in ("refused", "timeout", "")]


def test_while_a_breaker_is_not_closed_its_upstreams_calls_are_kept(house: House) -> None:
    """Until the last of its breakers is closed again."""
    otlp = house.otlp()
    for compartment, part, state, degraded in (
        ("authorize", "", "open", {"a"}),
        ("capture", "", "half-open", {"a"}),
        ("authorize", "", "closed", {"a"}),
        ("capture", "scheme=visa", "closed", {"a"}),
        ("capture", "scheme=visa", "open", {"a"}),
        ("capture", "", "closed", {"a"}),
        ("capture", "scheme=visa", "closed", set()),
    ):
        otlp.breaker(
            BreakerChanged("acme", "a", compartment, "closed", state, "", 1, 1, False, None, part)
        )
        assert otlp.keeper.degraded == degraded
    otlp.close()


@pytest.mark.parametrize("signal", ["traces", "metrics"])
def test_what_cannot_be_encoded_is_counted_and_keeps_nothing_else(
    house: House, monkeypatch: pytest.MonkeyPatch, signal: str
) -> None:
    """A failure of our own loses one trace, or one export."""
    otlp = house.otlp()

    def fail(*_: object) -> None:
        raise ValueError

    name = "encode_spans" if signal == "traces" else "encode_metrics"
    house.metrics.call(ended(done()))
    with monkeypatch.context() as patch:
        patch.setattr(f"proxy.telemetry.otlp.{name}", fail)
        otlp.call(ended(UNSENT))
        house.clock.advance(30.0)
        otlp.tick()
        while house.turns:
            house.turns.pop()()
    otlp.call(ended(UNSENT))
    otlp.close()
    lost = "tidegate_telemetry_dropped_total"
    assert _rendered(otlp)[lost].value(lost, signal=signal, reason="bug") == 1
    assert house.received.spans()
    assert house.received.metrics()


def test_while_the_collector_hangs_nothing_is_encoded_in_vain(house: House) -> None:
    """What has no room is counted before it costs anything."""
    otlp = house.otlp(waiting_max=2)
    for _ in range(5):
        otlp.call(ended(UNSENT))
    lost = "tidegate_telemetry_dropped_total"
    assert _rendered(otlp)[lost].value(lost, signal="traces", reason="waiting_max") == 3
    otlp.close()
    assert len(house.received.spans()) == 4
