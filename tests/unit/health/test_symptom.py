"""`proxy.health.symptom`: what one ended attempt shows, and what says nothing of anybody."""

from __future__ import annotations

import pytest

from proxy.health.symptom import NOTHING, Kind, Symptom, symptom
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from tests.support.values import attempt, headers, response


def _shown(outcome: Outcome, took_s: float = 0.1, method: bytes = b"POST") -> Symptom | None:
    sent_at = 0.0 if isinstance(outcome, Unsent) else 1000.0
    record = attempt(outcome=outcome, sent_at=sent_at, ended_at=1000.0 + took_s)
    return symptom(method, record, 1.0, 10.0)


def _answered(status: int, **over: object) -> Answered:
    return Answered("acme", "a", response(status, **over), Execution.DONE)  # type: ignore[arg-type]


@pytest.mark.parametrize("status", [200, 201, 302, 402, 409, 425])
def test_answers_and_declines_are_good(status: int) -> None:
    """A decline is an answer like any other."""
    assert _shown(_answered(status)) is None


@pytest.mark.parametrize(
    ("status", "kind", "origin"),
    [
        (500, Kind.FAILED, "partner"),
        (408, Kind.FAILED, "partner"),
        (429, Kind.SATURATED, "partner"),
        (401, Kind.REJECTED, "us"),
        (404, Kind.REJECTED, "us"),
        (422, Kind.REJECTED, "application"),
    ],
)
def test_other_answers_are_told_apart_by_status(status: int, kind: Kind, origin: str) -> None:
    """In the phase after all others, with the status as the reason."""
    assert _shown(_answered(status)) == Symptom("answer", kind, f"status_{status}", origin)


def test_a_503_that_asks_for_time_is_saturation() -> None:
    """Without that header it is a failure."""
    asking = _answered(503, fields=headers(("Retry-After", "3")))
    found, plain = _shown(asking), _shown(_answered(503))
    assert found is not None
    assert found.kind is Kind.SATURATED
    assert plain is not None
    assert plain.kind is Kind.FAILED


def test_a_get_that_finds_nothing_is_no_mistake() -> None:
    """An inquiry about a payment that is not there."""
    assert _shown(_answered(404), method=b"GET") is None


def test_an_answer_after_the_slow_limit_is_slow() -> None:
    """By the time from sending on."""
    found = _shown(_answered(200), took_s=1.5)
    assert found is not None
    assert (found.phase, found.kind) == ("first_byte", Kind.SLOW)


def test_what_fails_has_its_phase_and_reason_and_ours_is_us() -> None:
    """Whatever the attempt could tell."""
    full = Unsent("acme", "a", Phase.QUEUE, "pool_full", Origin.PROXY)
    assert _shown(full) == Symptom("queue", Kind.FAILED, "pool_full", "us")
    reset = InDoubt("acme", "a", Phase.BODY, "reset", Origin.PARTNER)
    assert _shown(reset) == Symptom("body", Kind.FAILED, "reset", "partner")


@pytest.mark.parametrize(("took_s", "said"), [(0.5, None), (2.0, Kind.SLOW), (9.5, Kind.FAILED)])
def test_a_deadline_counts_by_how_long_the_partner_had(took_s: float, said: Kind | None) -> None:
    """Cut short it says nothing, past the slow limit slow, near the usual patience a failure."""
    found = _shown(InDoubt("acme", "a", Phase.FIRST_BYTE, "deadline", Origin.PARTNER), took_s)
    assert found is not None
    assert (None if found is NOTHING else found.kind) == said


def test_refusals_and_replays_say_nothing() -> None:
    """Nobody was asked."""
    assert _shown(Refused("shed", 503, "Too much.")) is NOTHING
    assert _shown(Answered("acme", "a", response(), Execution.DONE, replayed=True)) is NOTHING
