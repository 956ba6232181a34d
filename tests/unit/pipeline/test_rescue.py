"""`proxy.pipeline.rescue`: the only table from an outcome to a reply, looked at in full."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from proxy.model.call import Call
from proxy.model.message import Response
from proxy.model.outcome import Answered, Execution, InDoubt, Origin, Outcome, Refused, Unsent
from proxy.model.phase import Phase
from proxy.pipeline.rescue import (
    LAST_RESORT,
    NEXT_AFTER_MISTAKE,
    NEXT_AFTER_NONE,
    NEXT_AFTER_UNKNOWN,
    NEXT_UNSENT_UNKNOWN,
    reply_to,
    reply_without_call,
    rescue,
)
from tests.support.values import CARD, attempt, call, headers, request, response

REASONS = ("timeout", "deadline", "refused", "reset", "pool_full", "pool_timeout", "malformed")
LABELS = {
    "tidegate-outcome",
    "tidegate-execution",
    "tidegate-upstream",
    "tidegate-attempts",
    "tidegate-call",
}


def _tidegate(reply: Response) -> dict[str, str]:
    assert not [key for key, _, _ in reply.headers if key.startswith(b"tidegate-")]
    lines = reply.labels.decode().split("\r\n")
    assert lines.pop() == "", "each label ends its line"
    found = [line.lower().partition(": ") for line in lines]
    labels = {name: value for name, _, value in found}
    assert len(found) == len(labels), "no label stands twice"
    return labels


def _call(attempts: int = 1) -> Call:
    made = call(request(target=b"/psp/" + CARD.encode(), body=CARD.encode()))
    made.attempts = [attempt(number) for number in range(1, attempts + 1)]
    return made


def _members(reply: Response) -> dict[str, Any]:
    assert (b"content-type", b"Content-Type", b"application/problem+json") in reply.headers
    members = json.loads(reply.body)
    assert isinstance(members, dict)
    return members


@pytest.mark.parametrize(("phase", "reason"), list(itertools.product(Phase, REASONS)))
def test_unsent_says_none_in_every_phase(phase: Phase, reason: str) -> None:
    """503 for want of room here, 504 for a timeout, 502 otherwise; the call may be made again."""
    reply = reply_to(_call(), Unsent("acme", "a", phase, reason, Origin.NETWORK))
    timed_out = reason in ("timeout", "deadline")
    assert reply.status == (503 if phase is Phase.QUEUE else 504 if timed_out else 502)
    members = _members(reply)
    assert members["type"] == "urn:tidegate:problem:unsent"
    assert members["status"] == reply.status
    assert members["execution"] == _tidegate(reply)["tidegate-execution"] == "none"
    assert members["next"] == NEXT_AFTER_NONE


@pytest.mark.parametrize(("phase", "reason"), list(itertools.product(Phase, REASONS)))
def test_in_doubt_says_unknown_in_every_phase(phase: Phase, reason: str) -> None:
    """Never 503, which many take for an invitation to try again; 504 for a timeout, else 502."""
    reply = reply_to(_call(), InDoubt("acme", "a", phase, reason, Origin.PARTNER))
    assert reply.status == (504 if reason in ("timeout", "deadline") else 502)
    members = _members(reply)
    assert members["type"] == "urn:tidegate:problem:in_doubt"
    assert members["execution"] == _tidegate(reply)["tidegate-execution"] == "unknown"
    assert members["next"] == NEXT_AFTER_UNKNOWN
    assert "may have been sent" in members["detail"]


@pytest.mark.parametrize(
    ("status", "execution", "after"),
    [
        (400, Execution.NONE, NEXT_AFTER_MISTAKE),
        (421, Execution.NONE, NEXT_AFTER_MISTAKE),
        (499, Execution.NONE, NEXT_AFTER_MISTAKE),
        (500, Execution.NONE, NEXT_AFTER_NONE),
        (503, Execution.NONE, NEXT_AFTER_NONE),
        (409, Execution.UNKNOWN, NEXT_UNSENT_UNKNOWN),
        (503, Execution.UNKNOWN, NEXT_UNSENT_UNKNOWN),
    ],
)
def test_a_refusal_has_its_own_status_and_says_what_comes_next(
    status: int, execution: Execution, after: str
) -> None:
    """A mistake is to be corrected first; an unknown is never an invitation to try again."""
    refused = Refused("reason", status, "A fixed sentence.", execution=execution)
    reply = reply_to(_call(0), refused)
    members = _members(reply)
    assert reply.status == members["status"] == status
    assert members["detail"] == "A fixed sentence."
    assert (members["execution"], members["next"]) == (execution.value, after)
    assert _tidegate(reply)["tidegate-outcome"] == "refused"


@pytest.mark.parametrize(
    "outcome",
    [
        Refused("token", 401, "No."),
        Refused("breaker_open", 503, "No.", Origin.PROXY, partner="acme", upstream="a"),
        Unsent("acme", "a", Phase.TLS, "certificate_expired", Origin.PARTNER),
        InDoubt("acme", "a", Phase.BODY, "reset", Origin.NETWORK),
    ],
    ids=["refused", "refused upstream", "unsent", "in doubt"],
)
def test_a_problem_has_every_member_it_can_have_and_no_null(
    outcome: Refused | Unsent | InDoubt,
) -> None:
    """RFC 9457's type, title, status and detail, and ours beside them."""
    members = _members(reply_to(_call(), outcome))
    always = {"type", "title", "status", "detail", "execution", "reason", "origin", "next"}
    phase = set() if isinstance(outcome, Refused) else {"phase"}
    placed = {"partner", "upstream"} if outcome.upstream else set()
    assert set(members) == always | phase | placed
    assert None not in members.values()
    assert (members["reason"], members["origin"]) == (outcome.reason, outcome.origin)
    assert members["type"].startswith("urn:")


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        (Answered("acme", "a", response(402), Execution.DONE), "answered"),
        (Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER), "unsent"),
        (InDoubt("acme", "a", Phase.SEND, "reset", Origin.PARTNER), "in_doubt"),
    ],
)
@pytest.mark.parametrize("attempts", [1, 3, 12])
def test_every_reply_after_an_attempt_carries_all_labels(
    outcome: Outcome, kind: str, attempts: int
) -> None:
    """Outcome, execution, upstream, attempts and the call's identity, each once."""
    made = _call(attempts)
    labels = _tidegate(reply_to(made, outcome))
    assert set(labels) == LABELS
    assert labels["tidegate-outcome"] == kind
    assert labels["tidegate-upstream"] == "a"
    assert labels["tidegate-attempts"] == str(attempts)
    assert labels["tidegate-call"] == made.id


def test_a_refusal_names_no_upstream() -> None:
    """Nobody was asked, so nobody is named; everything else is said."""
    labels = _tidegate(reply_to(_call(0), Refused("no_route", 404, "No.")))
    assert set(labels) == LABELS - {"tidegate-upstream"}
    assert labels["tidegate-attempts"] == "0"


@pytest.mark.parametrize("execution", list(Execution))
@pytest.mark.parametrize("status", [200, 202, 302, 402, 429, 500, 599])
def test_an_answer_passes_unchanged_with_what_it_proves(status: int, execution: Execution) -> None:
    """Status, body and headers are the partner's; only the labels are ours."""
    fields = headers(("Content-Type", "text/xml"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2"))
    answer = response(status, fields, b"<x/>")
    reply = reply_to(_call(), Answered("acme", "a", answer, execution))
    assert (reply.status, reply.body) == (status, b"<x/>")
    assert reply.headers == fields
    assert _tidegate(reply)["tidegate-execution"] == execution.value


def test_a_partner_cannot_speak_in_our_name() -> None:
    """`Tidegate-*` of a partner is dropped in any spelling, known to us or not."""
    fields = headers(
        ("Tidegate-Execution", "none"),
        ("TIDEGATE-OUTCOME", "unsent"),
        ("tidegate-anything", "x"),
        ("X-Tidegate", "kept"),
    )
    answer = response(500, fields)
    reply = reply_to(_call(), Answered("acme", "a", answer, Execution.UNKNOWN))
    labels = _tidegate(reply)
    assert reply.headers == [(b"x-tidegate", b"X-Tidegate", b"kept")]
    assert (labels["tidegate-execution"], labels["tidegate-outcome"]) == ("unknown", "answered")
    assert "tidegate-anything" not in labels
    assert answer.headers == fields, "the answer itself is kept as it came"


def test_a_hint_to_come_back_later_is_told() -> None:
    """`Retry-After` stands only where a refusal has one."""
    shed = reply_to(_call(0), Refused("in_flight_max", 503, "Full.", retry_after_s=7))
    plain = reply_to(_call(0), Refused("token", 401, "No."))
    assert (b"retry-after", b"Retry-After", b"7") in shed.headers
    assert b"retry-after" not in {key for key, _, _ in plain.headers}


@pytest.mark.parametrize(
    "outcome",
    [
        Refused("token", 401, "No."),
        Unsent("acme", "a", Phase.CONNECT, "refused", Origin.PARTNER),
        InDoubt("acme", "a", Phase.BODY, "malformed", Origin.PARTNER),
    ],
)
def test_a_reply_of_ours_repeats_nothing_of_the_request(outcome: Outcome) -> None:
    """The card number of path and body is in no header and no member."""
    reply = reply_to(_call(), outcome)
    assert CARD.encode() not in reply.body + reply.labels + repr(reply.headers).encode()


def test_bytes_that_were_no_call_are_labelled_as_a_refusal_with_none() -> None:
    """There is no call to name, but what is known of the execution is said all the same."""
    reply = reply_without_call(Refused("grammar", 400, "The request was not accepted."))
    assert reply.status == 400
    assert _tidegate(reply) == {
        "tidegate-outcome": "refused",
        "tidegate-execution": "none",
        "tidegate-attempts": "0",
    }
    assert _members(reply)["next"] == NEXT_AFTER_MISTAKE


async def test_the_top_of_the_stack_turns_the_outcome_into_the_reply() -> None:
    """It adds nothing and decides nothing else."""
    unsent = Unsent("acme", "a", Phase.RESOLVE, "no_such_name", Origin.DNS)

    async def inner(_: Call) -> Outcome:
        return unsent

    made = _call()
    assert await rescue(inner)(made) == reply_to(made, unsent)


def test_the_last_resort_claims_nothing() -> None:
    """When our own code fails outside the stack, the honest word is unknown."""
    document = json.loads(LAST_RESORT.body)
    labels = _tidegate(LAST_RESORT)
    assert LAST_RESORT.status == document["status"] == 500
    assert document["execution"] == "unknown"
    assert document["next"] == NEXT_AFTER_UNKNOWN
    assert (labels["tidegate-outcome"], labels["tidegate-execution"]) == ("in_doubt", "unknown")
