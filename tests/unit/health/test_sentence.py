"""`proxy.health.sentence`: one sentence to act on, and what it rests on."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from proxy.health.evidence import Evidence, Part
from proxy.health.sentence import evidence_lines, reason_text, sentence
from proxy.health.symptom import Kind
from proxy.health.verdict import Blame, Confidence, Place, Verdict

AT = datetime(2026, 11, 21, 3, 12, 5, tzinfo=UTC).timestamp()


def _evidence(**over: Any) -> Evidence:
    members: dict[str, Any] = {
        "partner": "acme", "upstream": "acme-eu", "operation": "", "value": None,
        "phase": "connect", "kind": Kind.FAILED, "reason": "refused", "origin": "partner",
        "bad": 14, "calls": 14, "low": 0.7, "since": 0.0, "last": 9.0, "open": True, **over,
    }  # fmt: skip
    return Evidence(**members)


def _verdict(**over: Any) -> Verdict:
    members: dict[str, Any] = {
        "places": (Place("acme", "acme-eu"),), "phase": "connect", "kind": Kind.FAILED,
        "reason": "refused", "origin": Blame.PARTNER, "since": 0.0, "bad": 14, "calls": 14,
        "confidence": Confidence.HIGH, "others_reached": ("north",), "instead": ("acme-us",),
        "evidence": (_evidence(),), **over,
    }  # fmt: skip
    return Verdict(**members)


def _said(**over: Any) -> str:
    return sentence(_verdict(**over), lambda instant: AT + instant)


def test_the_sentence_says_who_what_how_much_since_when_whose_and_where_calls_go() -> None:
    """In that order, and it is one sentence."""
    assert _said() == (
        "acme (acme-eu): connections are refused, 14 of 14 calls (100%), since 03:12:05 UTC; the"
        " trouble is in connecting, while north answers: the partner or the way to it; calls go"
        " to acme-us instead."
    )


def test_a_verdict_about_several_says_that_they_were_hit_at_once() -> None:
    """So nobody calls two partners at night for our own cable."""
    places = (Place("acme", "acme-eu"), Place("north", "north-a"))
    text = _said(places=places, origin=Blame.NETWORK, others_reached=(), instead=())
    assert text.startswith("acme and north (acme-eu, north-a): ")
    assert text.endswith("hits them at once, so it is the network or us, not the partners.")


@pytest.mark.parametrize(
    ("over", "part"),
    [
        ({"origin": Blame.NETWORK}, "look there first"),
        ({"origin": Blame.US, "phase": "queue", "reason": "pool_full"}, "it is on our side"),
        ({"origin": Blame.DNS, "phase": "resolve", "reason": "timeout"}, "name servers do not"),
        ({"origin": Blame.SCHEME}, "at every partner that has it: the scheme"),
        ({"origin": Blame.APPLICATION}, "the application sends what cannot be taken"),
        ({"origin": Blame.APPLICATION, "phase": "arrival"}, "has gone quiet"),
        ({"reason": "certificate_expired", "phase": "tls"}, "its certificate has expired"),
        ({"certain": "3 of them for too long", "bad": 0, "calls": 0}, "3 of them for too long"),
        ({"kind": Kind.SLOW, "slow_s": 2.5}, "answers take longer than 2.5 s"),
        ({"reason": "a_new_word"}, "a new word"),
    ],
)
def test_each_origin_and_reason_has_words(over: dict[str, Any], part: str) -> None:
    """Words that need no table to be understood."""
    assert part in _said(**over)


@pytest.mark.parametrize(
    ("kind", "part"),
    [
        (Kind.FAILED, "it fails (HTTP 503)"),
        (Kind.SATURATED, "too much to do (HTTP 503)"),
        (Kind.REJECTED, "does not take our requests (HTTP 503)"),
    ],
)
def test_a_status_is_told_with_what_it_means(kind: Kind, part: str) -> None:
    """The same status may mean different things."""
    assert part in reason_text(_verdict(kind=kind, phase="answer", reason="status_503"))


def test_evidence_has_numbers_instants_and_the_values_side_by_side() -> None:
    """One line each; a notice has its text in place of numbers."""
    parts = (Part(("scheme", "visa"), 14, 14), Part(("scheme", "amex"), 0, 20))
    shown = _verdict(
        evidence=(_evidence(parts=parts, value=("scheme", "visa")),
                  _evidence(certain="used on", bad=0, calls=0))
    )  # fmt: skip
    lines = evidence_lines(shown, lambda instant: AT + instant)
    assert lines[0].startswith("acme-eu · scheme=visa: 14 of 14 calls failed in phase connect")
    assert "last at 03:12:14 UTC" in lines[0]
    assert lines[2] == "for comparison, scheme=amex: 0 of 20 calls"
    assert lines[3] == "acme-eu: connections are refused, used on"
    assert lines[-1] == "answered meanwhile: north"


def test_of_many_slices_and_values_the_first_are_named() -> None:
    """Nobody reads a hundred, and a record of them would outgrow its file."""
    places = tuple(Place("acme", f"acme-{number}") for number in range(100))
    assert "acme-6, acme-7 and 92 more): " in _said(places=places)
    parts = tuple(Part(("scheme", str(number)), number, 100) for number in range(200))
    lines = evidence_lines(_verdict(evidence=(_evidence(parts=parts),)), lambda at: AT + at)
    assert lines[1] == "for comparison, scheme=199: 199 of 100 calls"
    assert len(lines) < 30
