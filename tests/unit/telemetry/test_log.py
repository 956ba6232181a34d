"""`proxy.telemetry.log`: valid JSON, members by allow-list, and never a byte of the request."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.inbound.translate import Identities, translate
from proxy.model.call import Call
from proxy.model.events import Bug, CallEnded, LateEnding, OverrideChanged, SettleGaveUp
from proxy.model.message import Failure, Response
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.model.standing import Kind, Override
from proxy.telemetry.log import CallLog
from tests.support.manual_clock import START_S, WALL_START_S, ManualClock
from tests.support.values import CARD, attempt, call, candidate, headers, request, response, route

MEMBERS = {
    "at",
    "event",
    "call",
    "trace",
    "method",
    "route",
    "operation",
    "partner",
    "upstream",
    "outcome",
    "execution",
    "reason",
    "origin",
    "phase",
    "reused",
    "status",
    "attempts",
    "bytes_in",
    "bytes_out",
    "duration_us",
    "send_us",
    "wait_us",
}


def _line(made: Call, outcome: Outcome, log: CallLog | None = None) -> dict[str, Any]:
    text = (log or CallLog(ManualClock())).call(CallEnded(made, outcome, made.arrived_at + 0.25))
    assert text.endswith(b"\n")
    assert text.count(b"\n") == 1
    members = json.loads(text)
    assert isinstance(members, dict)
    return members


OUTCOMES: list[Outcome] = [
    Answered("acme", "a", response(201), Execution.DONE),
    Answered("acme", "a", response(500), Execution.UNKNOWN),
    Refused("token", 401, "No."),
    Refused("breaker_open", 503, "No.", Origin.PROXY, partner="acme", upstream="a"),
    Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER),
    InDoubt("acme", "a", Phase.FIRST_BYTE, "timeout", Origin.PARTNER),
]


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_a_line_has_exactly_the_allowed_members(outcome: Outcome) -> None:
    """Whoever adds one decides here that it may be seen."""
    members = _line(call(), outcome)
    assert set(members) == MEMBERS
    assert members["event"] == "call"
    assert members["execution"] == outcome.execution
    assert (members["reason"], members["origin"]) == (outcome.reason, outcome.origin)
    assert (members["partner"], members["upstream"]) == (outcome.partner, outcome.upstream)


def test_a_line_says_what_happened_in_figures() -> None:
    """Sizes in bytes, times in milliseconds from arrival, sending and first byte."""
    made = call(request(body=b"12345"))
    made.attempts = [
        attempt(1),
        attempt(2, sent_at=START_S + 0.1, first_byte_at=START_S + 0.15, reused=True),
    ]
    members = _line(made, Answered("acme", "a", response(201, body=b"123"), Execution.DONE))
    assert (members["bytes_in"], members["bytes_out"], members["status"]) == (5, 3, 201)
    assert (members["attempts"], members["reused"]) == (2, True)
    assert members["duration_us"] == pytest.approx(250_000, abs=1)
    assert members["send_us"] == pytest.approx(100_000, abs=1)
    assert members["wait_us"] == pytest.approx(50_000, abs=1)
    assert (
        members["at"] == WALL_START_S + 0.25
    )  # when it ended, not when it was written + 0.25, "the instant of the end, not of the writing"
    assert (members["method"], members["route"]) == ("POST", "charges")


def test_what_was_not_reached_is_zero_or_null() -> None:
    """No made-up figure for a call that was refused."""
    made = call()
    made.route = None
    members = _line(made, Refused("no_route", 404, "No."))
    assert members["route"] is members["operation"] is members["phase"] is None
    assert members["status"] == members["attempts"] == members["send_us"] == 0


@pytest.mark.parametrize("outcome", OUTCOMES)
@pytest.mark.parametrize("place", ["path", "query", "header name", "header", "body", "host"])
def test_a_card_number_reaches_no_line_from_anywhere(outcome: Outcome, place: str) -> None:
    """Path, query, headers and body of the request, and body and headers of the answer."""
    target = {"path": f"/psp/{CARD}", "query": f"/psp?pan={CARD}"}.get(place, "/psp/x")
    fields = headers(
        (f"X-{CARD}", "1") if place == "header name" else ("X-Pan", CARD),
        ("Authorization", f"Bearer {CARD}"),
        ("traceparent", f"00-{CARD}"),
        ("Tidegate-Token", CARD),
        ("Tidegate-Deadline-Ms", CARD),
    )
    host = CARD.encode() if place == "host" else b"localhost"
    asked = request(b"POST", target.encode(), fields, CARD.encode(), host=host)
    made = translate(asked, Identities(b"x"))
    made.route = route()
    if isinstance(outcome, Answered):
        answer = response(201, headers(("Location", CARD)), CARD.encode())
        outcome = Answered("acme", "a", answer, Execution.DONE)
    line = CallLog(ManualClock()).call(CallEnded(made, outcome, START_S))
    assert CARD.encode() not in line


@given(
    st.lists(
        st.tuples(
            st.sampled_from(OUTCOMES),
            st.sampled_from([b"POST", b"GET"]),
            st.sampled_from(["charges", "refunds", None]),
            st.booleans(),
        ),
        max_size=30,
    )
)
def test_what_calls_have_in_common_is_never_mixed_up(
    events: list[tuple[Outcome, bytes, str | None, bool]],
) -> None:
    """A line made with what was kept of earlier calls equals a line made afresh."""
    shared = CallLog(ManualClock())
    for outcome, method, name, reused in events:
        made = call(request(method), route(name=name or ""))
        if name is None:
            made.route = None
        made.attempts = [attempt(reused=reused)]
        assert _line(made, outcome, shared) == _line(made, outcome)


@pytest.mark.parametrize(
    ("late", "status", "reason"),
    [
        (response(201), 201, "answered"),
        (Failure(Phase.BODY, "lingered", sent=True), 0, "lingered"),
        (None, 0, "answered"),
    ],
)
def test_a_late_ending_has_a_line_of_its_own(
    late: Response | Failure | None, status: int, reason: str
) -> None:
    """It says what the caller, who was left in doubt, could not be told."""
    made, record = call(), attempt(2, candidate("b", "bank"), late=late)
    members = json.loads(CallLog(ManualClock()).late(LateEnding(made, record)))
    assert members == {
        "at": WALL_START_S,
        "event": "late_ending",
        "call": made.id,
        "trace": made.trace_id.decode(),
        "attempt": 2,
        "partner": "bank",
        "upstream": "b",
        "status": status,
        "reason": reason,
    }


def test_a_bug_has_a_line_with_its_kind_and_place() -> None:
    """No message."""
    line = CallLog(ManualClock()).bug(Bug("KeyError", "routing/table.py:42"))
    assert json.loads(line) == {
        "at": WALL_START_S,
        "event": "bug",
        "kind": "KeyError",
        "where": "routing/table.py:42",
    }


def test_giving_up_has_a_line_that_names_the_row() -> None:
    """An operator finds the call by it; the application's key and reference are not in it."""
    event = SettleGaveUp("acme", "a", "authorize", "ab" * 16, 1000)
    assert json.loads(CallLog(ManualClock()).gave_up(event)) == {
        "at": WALL_START_S,
        "event": "settle_gave_up",
        "partner": "acme",
        "upstream": "a",
        "operation": "authorize",
        "row": "ab" * 16,
        "asked": 1000,
    }


def test_an_operators_word_has_a_line_with_who_and_why() -> None:
    """And until when; a drain belongs to no route."""
    drain = Override(Kind.DRAIN, "", "a", "their status page", "ann", WALL_START_S, 60.0, 60.0)
    assert json.loads(CallLog(ManualClock()).override(OverrideChanged("set", drain, 60.0))) == {
        "at": WALL_START_S,
        "event": "route_override",
        "change": "set",
        "kind": "drain",
        "route": None,
        "upstream": "a",
        "by": "ann",
        "reason": "their status page",
        "since": WALL_START_S,
        "until": WALL_START_S + 60.0,
    }


def test_names_from_the_configuration_are_escaped() -> None:
    """A quote or a percent sign in a name breaks no line."""
    made = call(taken=route(name='a"b%s\\'))
    assert _line(made, OUTCOMES[0])["route"] == 'a"b%s\\'


def test_a_call_of_a_route_with_dimensions_says_its_values() -> None:
    """By their names; other lines have no such member."""
    made = call(taken=route(dimensions=("scheme", "currency")))
    made.dimensions = ("visa", "eur")
    said = _line(made, Refused("shed", 503, "", Origin.PROXY))
    assert said["dimensions"] == {"scheme": "visa", "currency": "eur"}
    assert set(said) == {*MEMBERS, "dimensions"}
