"""`proxy.telemetry.spans`: the semantic conventions, and what operators look for."""

from __future__ import annotations

from dataclasses import replace

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanKind, StatusCode

from proxy.model.events import CallEnded
from proxy.model.outcome import Refused
from proxy.telemetry.record import LateRecord, Trace, ending, taken
from proxy.telemetry.spans import Spans
from tests.support.values import call, candidate, route, upstream
from tests.unit.telemetry.traced import DOUBT, UNSENT, done, ended

SPANS = Spans(Resource({"service.name": "tidegate"}), InstrumentationScope("tidegate", "1"))


def _made(event: CallEnded, link: Trace | None = None) -> list[ReadableSpan]:
    record = taken(event.call, event.outcome, event.ended_at, "sampled", b"c" * 16, link)
    return SPANS.of(record, 1e9)


def test_one_internal_span_for_the_call_and_a_client_span_for_each_attempt() -> None:
    """Whoever counts CLIENT spans counts what partners saw."""
    whole, first, second = _made(ended(UNSENT, done()))
    assert [each.kind for each in (whole, first, second)] == [
        SpanKind.INTERNAL,
        SpanKind.CLIENT,
        SpanKind.CLIENT,
    ]
    assert whole.parent is not None
    assert whole.parent.is_remote
    for attempt in (first, second):
        assert attempt.parent is not None
        assert attempt.parent.span_id == whole.context.span_id
    assert "http.request.resend_count" not in (first.attributes or {})
    assert (second.attributes or {})["http.request.resend_count"] == 1


def test_a_call_without_a_trace_of_the_application_has_no_parent() -> None:
    """It begins the trace."""
    event = ended(done())
    event.call.span_id = b""
    assert _made(event)[0].parent is None


def test_the_address_is_the_configured_part_alone() -> None:
    """The request's own path may hold references of a payment."""
    event = ended(done())
    taken_by = route(replace_prefix=b"/v2")
    at = candidate(upstream=upstream(base_path=b"/api", tls=True))
    event.call.route = taken_by
    event.call.attempts[0].candidate = at
    said = dict(_made(event)[1].attributes or {})
    assert said["url.full"] == "https://a.example/api/v2"
    assert said["url.template"] == "/api/v2"


@pytest.mark.parametrize(
    ("event", "error", "failed"),
    [
        (ended(done()), None, False),
        (ended(done(402)), "402", False),
        (ended(DOUBT), "timeout", True),
        (ended(UNSENT), "refused", True),
    ],
)
def test_an_error_has_a_type_of_few_values(
    event: CallEnded, error: str | None, failed: bool
) -> None:
    """A declined payment is an error of the exchange by the conventions, and none of the call."""
    whole, attempt = _made(event)
    assert (attempt.attributes or {}).get("error.type") == error
    assert (attempt.status.status_code is StatusCode.ERROR) == (error is not None)
    assert (whole.status.status_code is StatusCode.ERROR) == failed


def test_phases_are_events_and_durations() -> None:
    """They end where the next one begins; the body's begins with the first byte."""
    attempt = _made(ended(done()))[1]
    assert [each.name for each in attempt.events] == [
        "queue ended", "send ended", "first_byte ended",
    ]  # fmt: skip
    said = dict(attempt.attributes or {})
    assert said["tidegate.phase.send_s"] == pytest.approx(0.01)
    assert said["tidegate.phase.first_byte_s"] == pytest.approx(0.04)
    assert said["tidegate.phase.body_s"] == pytest.approx(0.05)


def test_a_call_says_where_it_might_have_gone() -> None:
    """And which configured candidates were passed over."""
    event = ended(done())
    event.call.route = route(candidate("a"), candidate("b"), dimensions=("scheme",))
    event.call.dimensions = ("visa",)
    said = dict(_made(event)[0].attributes or {})
    assert said["tidegate.candidates"] == ("a",)
    assert said["tidegate.candidates.passed_over"] == ("b",)
    assert said["tidegate.slice.scheme"] == "visa"


def test_a_replay_is_linked_to_its_original() -> None:
    """And says that it is one."""
    event = CallEnded(call(), done(replayed=True, settled_by="inquiry"), 1000.0)
    (whole,) = _made(event, (b"d" * 32, b"e" * 16))
    assert f"{whole.links[0].context.span_id:x}" == "e" * 16
    said = dict(whole.attributes or {})
    assert (said["tidegate.replayed"], said["tidegate.settled_by"]) == (True, "inquiry")


def test_a_call_that_no_route_took_has_its_reason() -> None:
    """Nothing else is known of it."""
    made = call()
    made.route = None
    (whole,) = _made(CallEnded(made, Refused("no_route", 404, ""), made.arrived_at))
    assert (whole.name, (whole.attributes or {})["tidegate.reason"]) == ("call", "no_route")


def test_what_comes_late_hangs_below_its_attempt() -> None:
    """With what it came to."""
    record = LateRecord(
        b"a" * 32, b"00", b"1" * 16, b"2" * 16, 1.0, 2.0, upstream(), ending(done())
    )
    (late,) = SPANS.of(replace(record, ended_at=3.0), 0.0)
    assert late.parent is not None
    assert f"{late.parent.span_id:x}" == "1" * 16
    assert (late.end_time or 0) - (late.start_time or 0) == 2_000_000_000
    assert late.context.trace_flags.sampled
