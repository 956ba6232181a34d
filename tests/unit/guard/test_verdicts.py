"""`proxy.guard.verdicts`: whom an ending is held against."""

from __future__ import annotations

from dataclasses import replace

import pytest

from proxy.guard.verdicts import Verdict, partner_s, verdict
from proxy.model.message import Failure
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.upstream.classify import classify
from tests.support.values import attempt, candidate, headers, response

PATIENCE_S, SLOW_S = 30.0, 3.0

PROXY_WORDS = ("auth", "closed", "malformed", "no_route", "refused", "timeout", "unreachable")


def _verdict(outcome: Outcome, took_s: float = 0.2) -> Verdict:
    return verdict(outcome, took_s, PATIENCE_S, SLOW_S)


def _failed(phase: Phase, reason: str, *, sent: bool, took_s: float = 0.2) -> Verdict:
    return _verdict(classify(Failure(phase, reason, sent), candidate()), took_s)


def _answered(status: int, *pairs: tuple[str, str]) -> Answered:
    return Answered("acme", "a", response(status, headers(*pairs)), Execution.DONE)


@pytest.mark.parametrize("status", [*range(200, 429), *range(430, 500)])
def test_answers_below_500_are_successes(status: int) -> None:
    """A decline says that the partner works, whatever its status."""
    assert _verdict(_answered(status)) is Verdict.SUCCESS


@pytest.mark.parametrize("status", range(500, 600))
def test_answers_from_500_are_failures(status: int) -> None:
    """Also 501 and those that nobody has defined."""
    assert _verdict(_answered(status)) is Verdict.FAILURE


def test_saturation_is_of_its_own_kind() -> None:
    """429 always, 503 if it says when to come again; no other status is."""
    assert _verdict(_answered(429)) is Verdict.SATURATED
    assert _verdict(_answered(503, ("Retry-After", "3"))) is Verdict.SATURATED
    assert _verdict(_answered(500, ("Retry-After", "3"))) is Verdict.FAILURE


def test_a_late_answer_is_slow() -> None:
    """It is a success all the same; a failure that comes late is a failure."""
    assert _verdict(_answered(200), 3.1) is Verdict.SLOW
    assert _verdict(_answered(200), 3.0) is Verdict.SUCCESS
    assert _verdict(_answered(502), 9.0) is Verdict.FAILURE


def test_an_answer_of_the_journal_says_nothing() -> None:
    """The partner was not asked."""
    assert _verdict(replace(_answered(500), replayed=True)) is Verdict.NOTHING


@pytest.mark.parametrize("origin", Origin)
def test_refusals_say_nothing(origin: Origin) -> None:
    """Whatever is refused was not sent."""
    assert _verdict(Refused("journal_unavailable", 503, "no", origin)) is Verdict.NOTHING


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (Phase.QUEUE, "pool_full"),
        (Phase.QUEUE, "pool_timeout"),
        (Phase.RESOLVE, "no_such_name"),
        (Phase.RESOLVE, "timeout"),
        (Phase.CONNECT, "no_local_port"),
        (Phase.CONNECT, "no_source_address"),
        (Phase.RESOLVE, "proxy_no_such_name"),
        *((Phase.CONNECT, f"proxy_{word}") for word in PROXY_WORDS),
        (Phase.CONNECT, "no_descriptor"),
        (Phase.TLS, "client_certificate_required"),
        (Phase.TLS, "client_certificate_refused"),
        (Phase.SEND, "deadline"),
        (Phase.SEND, "paused"),
        (Phase.SEND, "closed"),
    ],
)
def test_what_is_ours_says_nothing(phase: Phase, reason: str) -> None:
    """Our queue, names, machine, proxy, certificate and clock; and an idle connection's end."""
    assert _failed(phase, reason, sent=False) is Verdict.NOTHING


@pytest.mark.parametrize("origin", [Origin.APPLICATION, Origin.PROXY, Origin.DNS])
@pytest.mark.parametrize("kind", [Unsent, InDoubt])
def test_only_partner_and_network_are_judged(kind: type[Unsent | InDoubt], origin: Origin) -> None:
    """Whatever the phase and the reason."""
    assert _verdict(kind("acme", "a", Phase.CONNECT, "timeout", origin)) is Verdict.NOTHING


@pytest.mark.parametrize(
    ("phase", "reason"),
    [
        (Phase.CONNECT, "refused"),
        (Phase.CONNECT, "timeout"),
        (Phase.CONNECT, "unreachable"),
        (Phase.CONNECT, "spoke_first"),
        (Phase.TLS, "certificate_expired"),
        (Phase.TLS, "timeout"),
        (Phase.TLS, "handshake_closed"),
    ],
)
def test_no_connection_is_a_failure_of_its_own_kind(phase: Phase, reason: str) -> None:
    """Nothing was sent, and the partner could not be spoken to."""
    assert _failed(phase, reason, sent=False) is Verdict.UNREACHABLE


@pytest.mark.parametrize("reason", ["timeout", "reset", "closed", "malformed", "lingered"])
@pytest.mark.parametrize("phase", [Phase.SEND, Phase.FIRST_BYTE, Phase.BODY])
def test_in_doubt_is_a_failure(phase: Phase, reason: str) -> None:
    """The partner had the request and gave no answer that could be understood."""
    assert _failed(phase, reason, sent=True) is Verdict.FAILURE


def test_a_bug_of_ours_says_nothing() -> None:
    """Though bytes may have left."""
    assert _failed(Phase.BODY, "bug", sent=True) is Verdict.NOTHING


@pytest.mark.parametrize(
    ("took_s", "expected"),
    [
        (29.9, Verdict.FAILURE),
        (27.0, Verdict.FAILURE),
        (26.9, Verdict.OVERDUE),
        (3.1, Verdict.OVERDUE),
        (3.0, Verdict.NOTHING),
        (0.1, Verdict.NOTHING),
    ],
)
def test_a_deadline_counts_by_what_the_partner_was_given(took_s: float, expected: Verdict) -> None:
    """All of its usual time: failed. Cut short by the application: slow at most."""
    assert _failed(Phase.FIRST_BYTE, "deadline", sent=True, took_s=took_s) is expected


def test_the_partners_time_begins_at_sending() -> None:
    """Where nothing was sent, behind our queue and the resolver."""
    record = attempt(begun_at=10.0, ended_at=20.0)
    assert partner_s(record) == 10.0
    record.queued_at = 11.0
    assert partner_s(record) == 9.0
    record.resolved_at = 13.0
    assert partner_s(record) == 7.0
    record.sent_at = 16.0
    assert partner_s(record) == 4.0
