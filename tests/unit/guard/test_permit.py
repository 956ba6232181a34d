"""`proxy.guard.permit`: what a caller holds, and what it is told."""

from __future__ import annotations

from math import inf

from proxy.guard.permit import Isolation, Permit, Refusal, State
from proxy.guard.verdicts import Verdict
from tests.support.values import attempt


class _Circuit:
    """Writes down what comes back."""

    def __init__(self) -> None:
        self.ends: list[tuple[Verdict, float, float]] = []

    def ended(self, permit: Permit, verdict: Verdict, took_s: float, now: float) -> None:
        self.ends.append((verdict, took_s, now))


def test_a_permit_ends_once() -> None:
    """What comes after the first end is ignored, so a `finally` may always end it."""
    circuit = _Circuit()
    permit = Permit(circuit, 0, 10.0, probe=False, forced=False)
    try:
        permit.end(Verdict.FAILURE, 0.5, 10.5)
    finally:
        permit.end(Verdict.NOTHING, 0.0, 10.6)
    permit.end(Verdict.SUCCESS, 0.1, 11.0)
    assert circuit.ends == [(Verdict.FAILURE, 0.5, 10.5)]


def test_a_refusal_is_one_sentence_with_its_figures() -> None:
    """State, what led to it, and the figure that decided."""
    refusal = Refusal(State.OPEN, "open", "7 of 8 calls failed", 3.25, "the next probe is in 3.2 s")
    assert refusal.reason == "open: 7 of 8 calls failed; the next probe is in 3.2 s"


def test_an_isolation_says_whose_word_it_was_and_how_long_it_holds() -> None:
    """The operator's own reason is repeated."""
    refusal = Isolation("maintenance until noon", 100.0).refusal(40.0)
    assert (refusal.state, refusal.code, refusal.wait_s) == (State.ISOLATED, "isolated", 60.0)
    assert refusal.reason == "isolated: maintenance until noon; 60 s are left"


def test_only_the_partners_own_time_can_make_a_call_overdue() -> None:
    """Not before its attempt has a connection to make; one that is not watched has its own."""
    permit = Permit(_Circuit(), 0, 10.0, probe=False, forced=False)
    assert permit.partner_since == 10.0
    attempts = [attempt()]
    permit.watch(attempts)
    assert permit.partner_since == inf
    attempts.append(attempt(2, begun_at=11.0, queued_at=11.0))
    assert permit.partner_since == inf
    attempts[1].resolved_at = 12.0
    assert permit.partner_since == 12.0
    attempts[1].sent_at = 13.0
    assert permit.partner_since == 13.0
