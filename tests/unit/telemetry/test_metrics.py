"""`proxy.telemetry.metrics`: true counts, a readable form, and no series without end."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.model.call import Call
from proxy.model.events import AttemptEnded, CallEnded
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.telemetry.metrics import BUCKETS_S, Metrics, family
from tests.support.prometheus import Family, parse
from tests.support.values import CARD, attempt, call, candidate, request, response, route

DONE = Answered("acme", "a", response(), Execution.DONE)
UNSENT = Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER)


def _rendered(metrics: Metrics) -> dict[str, Family]:
    return parse("\n".join(metrics.render()) + "\n")


def _ended(
    metrics: Metrics, outcome: Outcome, seconds: float = 0.1, made: Call | None = None
) -> None:
    made = made or call()
    metrics.call(CallEnded(made, outcome, made.arrived_at + seconds))


def _attempted(metrics: Metrics, outcome: Outcome | None, seconds: float = 0.1) -> None:
    record = attempt(outcome=outcome)
    record.ended_at = record.begun_at + seconds
    metrics.attempt(AttemptEnded(call(), record))


def test_before_the_first_call_the_form_is_complete() -> None:
    """Every family is announced, so that dashboards have no holes."""
    families = _rendered(Metrics())
    assert {name: each.kind for name, each in families.items()} == {
        "tidegate_calls_total": "counter",
        "tidegate_attempts_total": "counter",
        "tidegate_inbound_rejected_total": "counter",
        "tidegate_late_endings_total": "counter",
        "tidegate_bugs_total": "counter",
        "tidegate_settle_gave_up_total": "counter",
        "tidegate_call_duration_seconds": "histogram",
        "tidegate_attempt_duration_seconds": "histogram",
    }


def test_calls_are_counted_by_how_they_ended() -> None:
    """Route, operation, outcome, execution and reason."""
    metrics = Metrics()
    for outcome in (DONE, DONE, UNSENT):
        _ended(metrics, outcome)
    calls = _rendered(metrics)["tidegate_calls_total"]
    known = {"route": "charges", "operation": "authorize"}
    assert calls.samples == {
        (
            "tidegate_calls_total",
            frozenset(
                {
                    **known, "outcome": "answered", "execution": "done", "reason": "answered"
                }.items()
            ),
        ): 2.0,
        (
            "tidegate_calls_total",
            frozenset(
                {**known, "outcome": "unsent", "execution": "none", "reason": "refused"}.items()
            ),
        ): 1.0,
    }  # fmt: skip


def test_attempts_are_counted_apart_from_calls() -> None:
    """Failover would hide a failing partner behind calls that succeed."""
    metrics = Metrics()
    _attempted(metrics, UNSENT)
    _attempted(metrics, InDoubt("acme", "a", Phase.BODY, "reset", Origin.PARTNER))
    _attempted(metrics, DONE)
    _ended(metrics, DONE)
    families = _rendered(metrics)
    assert sum(families["tidegate_attempts_total"].samples.values()) == 3
    assert sum(families["tidegate_calls_total"].samples.values()) == 1
    assert (
        families["tidegate_attempts_total"].value(
            "tidegate_attempts_total",
            partner="acme",
            upstream="a",
            operation="authorize",
            outcome="in_doubt",
            execution="unknown",
            phase="body",
            reason="reset",
            slice="",
        )
        == 1
    )


def test_an_attempt_without_an_outcome_is_not_counted_as_any() -> None:
    """A bug left it without; the bug is counted."""
    metrics = Metrics()
    _attempted(metrics, None)
    assert _rendered(metrics)["tidegate_attempts_total"].samples == {}


def test_a_call_refused_before_it_had_a_route_is_counted_without_one() -> None:
    """Empty labels, not a missing series."""
    metrics, made = Metrics(), call()
    made.route = None
    _ended(metrics, Refused("token", 401, "No."), made=made)
    ((_, labels),) = _rendered(metrics)["tidegate_calls_total"].samples
    assert dict(labels)["route"] == dict(labels)["operation"] == ""


def test_what_never_became_a_call_is_counted_by_reason() -> None:
    """And late endings and bugs by themselves."""
    metrics = Metrics()
    for reason in ("grammar", "grammar", "host"):
        metrics.reject(reason)
    metrics.late, metrics.bugs = 3, 1
    families = _rendered(metrics)
    rejected = families["tidegate_inbound_rejected_total"]
    assert rejected.value("tidegate_inbound_rejected_total", reason="grammar") == 2
    assert families["tidegate_late_endings_total"].value("tidegate_late_endings_total") == 3
    assert families["tidegate_bugs_total"].value("tidegate_bugs_total") == 1


@given(st.lists(st.floats(0.0, 200.0), min_size=1, max_size=60))
def test_a_histogram_says_how_many_were_no_slower_than_each_bound(seconds: list[float]) -> None:
    """Cumulative, bounds included, +Inf equal to the count, the sum to the microsecond."""
    metrics = Metrics()
    for each in seconds:
        _attempted(metrics, DONE, each)
    name = "tidegate_attempt_duration_seconds"
    where = {"partner": "acme", "upstream": "a", "operation": "authorize", "slice": ""}
    found = _rendered(metrics)[name]
    durations = [(1000.0 + each) - 1000.0 for each in seconds]
    for bound in BUCKETS_S:
        expected = sum(each <= bound for each in durations)
        assert found.value(f"{name}_bucket", **where, le=f"{bound:g}") == expected
    assert found.value(f"{name}_bucket", **where, le="+Inf") == len(seconds)
    assert found.value(f"{name}_count", **where) == len(seconds)
    total = found.value(f"{name}_sum", **where)
    assert math.isclose(total, sum(durations), abs_tol=1e-5)


@pytest.mark.parametrize("count", [999_999, 1_000_000, 123_456_789, 2**53])
def test_large_counts_are_written_in_full(count: int) -> None:
    """A rounded counter looks like a reset to whoever takes rates."""
    text = "\n".join(family("t", "counter", "T.", [((), count)])) + "\n"
    assert parse(text)["t"].value("t") == count


@given(st.text(max_size=20))
def test_any_label_value_survives(value: str) -> None:
    """Quotes, backslashes and line feeds are escaped."""
    value = "".join(value.splitlines()) + '"\\\n'
    text = "\n".join(family("t", "gauge", "T.", [((("l", value),), 1)])) + "\n"
    assert parse(text)["t"].value("t", l=value) == 1


def test_nothing_of_a_request_becomes_a_label() -> None:
    """A thousand different requests of one route are one series, and no card number is in it."""
    metrics = Metrics()
    for number in range(1000):
        asked = request(b"POST", f"/psp/{CARD}{number}?n={number}".encode(), body=CARD.encode())
        _ended(metrics, DONE, made=call(asked))
    text = "\n".join(metrics.render())
    assert CARD not in text
    assert len(parse(text + "\n")["tidegate_calls_total"].samples) == 1


def test_the_number_of_series_is_bounded_by_what_is_configured() -> None:
    """Upstreams x kinds x phases x reasons, however many calls there were."""
    metrics = Metrics()
    outcomes: list[Outcome] = [DONE, UNSENT, Refused("token", 401, "No.")]
    for _ in range(50):
        for outcome in outcomes:
            for name in ("a", "b"):
                made = call(taken=route(candidate(name), name=name))
                _ended(metrics, outcome, made=made)
    before = len(list(metrics.render()))
    for _ in range(50):
        _ended(metrics, DONE)
        _ended(metrics, DONE, made=call(taken=route(name="a")))
    assert len(list(metrics.render())) == before + 1 + len(BUCKETS_S) + 3


def test_slices_are_told_apart() -> None:
    """By the values of a call's dimensions, in the counts and in the durations."""
    metrics = Metrics()
    for scheme in ("visa", "amex", "visa"):
        made = call(taken=route(dimensions=("scheme",)))
        made.dimensions = (scheme,)
        record = attempt(outcome=DONE)
        record.ended_at = record.begun_at + 0.1
        metrics.attempt(AttemptEnded(made, record))
    name = "tidegate_attempt_duration_seconds"
    samples = _rendered(metrics)[name].samples
    counts = {
        dict(labels)["slice"]: value
        for (sample, labels), value in samples.items()
        if sample == f"{name}_count"
    }
    assert counts == {"scheme=visa": 2, "scheme=amex": 1}


def test_series_without_end_become_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A partner that invents statuses fills no memory; nothing is left uncounted."""
    monkeypatch.setattr("proxy.telemetry.metrics.SERIES_MAX", 3)
    metrics = Metrics()
    for status in range(200, 220):
        _attempted(metrics, Answered("acme", "a", response(status), Execution.DONE))
    _, attempts = metrics.counted()
    assert len(attempts) == 4
    assert sum(sum(each.counts) for each in attempts.values()) == 20
