"""Rules for the reply to a call whose key was used before."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from proxy.model.outcome import Answered, Execution, Origin, Refused
from proxy.pipeline.rescue import (
    NEXT_AFTER_DONE,
    NEXT_AFTER_MISTAKE,
    NEXT_AFTER_NONE,
    NEXT_AFTER_REUSE,
    NEXT_AT_WORK,
    NEXT_IN_DOUBT,
    NEXT_UNSENT_UNKNOWN,
    reply_to,
)
from tests.support.values import call, headers, response


def test_a_replay_is_marked_and_otherwise_the_same() -> None:
    """Stripe owns the header that others use for it, so ours has a name of its own."""
    answer = response(201, headers(("Content-Type", "text/plain")), b"charged")
    first = Answered("acme", "a", answer, Execution.DONE)
    made = call()
    plain, replayed = reply_to(made, first), reply_to(made, replace(first, replayed=True))
    assert replayed.labels == plain.labels + b"Tidegate-Replayed: true\r\n"
    assert (replayed.status, replayed.headers, replayed.body) == (201, answer.headers, b"charged")


def test_what_was_executed_is_never_called_not_executed() -> None:
    """A refusal may be all that we can give for a call that was executed."""
    refused = Refused("resolved_done", 409, "Known.", Origin.PROXY, Execution.DONE)
    members = json.loads(reply_to(call(), refused).body)
    assert (members["execution"], members["next"]) == ("done", NEXT_AFTER_DONE)


def test_what_others_said_of_a_call_does_not_pass_for_its_own_answer() -> None:
    """An inquiry's body has another form than the answer of the call that was asked about."""
    answer = response(200, (), b'{"data": []}')
    own = Answered("acme", "a", answer, Execution.DONE, replayed=True)
    found = replace(own, reason="found_by_inquiry", settled_by="inquiry")
    made = call()
    plain, marked = reply_to(made, own), reply_to(made, found)
    assert b"Tidegate-Settled-By" not in plain.labels
    assert marked.labels == plain.labels + b"Tidegate-Settled-By: inquiry\r\n"


@pytest.mark.parametrize("by", ["operator", "webhook"])
def test_a_refusal_names_who_said_that_it_was_executed(by: str) -> None:
    """There is no answer to give then, and the mark is all that there is to trust."""
    refused = Refused("resolved_done", 409, "Known.", Origin.PROXY, Execution.DONE, settled_by=by)
    assert f"Tidegate-Settled-By: {by}\r\n".encode() in reply_to(call(), refused).labels


@pytest.mark.parametrize(
    ("reason", "status", "execution", "advice"),
    [
        ("key_missing", 400, Execution.NONE, NEXT_AFTER_MISTAKE),
        ("key_malformed", 400, Execution.NONE, NEXT_AFTER_MISTAKE),
        ("key_underived", 400, Execution.NONE, NEXT_AFTER_MISTAKE),
        ("key_reused", 422, Execution.UNKNOWN, NEXT_AFTER_REUSE),
        ("key_busy", 409, Execution.UNKNOWN, NEXT_AT_WORK),
        ("taken_over", 409, Execution.UNKNOWN, NEXT_AT_WORK),
        ("in_doubt", 409, Execution.UNKNOWN, NEXT_IN_DOUBT),
        ("journal_unavailable", 503, Execution.UNKNOWN, NEXT_UNSENT_UNKNOWN),
        ("journal_unavailable", 503, Execution.NONE, NEXT_AFTER_NONE),
        ("answer_unreadable", 500, Execution.DONE, NEXT_AFTER_DONE),
        ("answer_not_stored", 409, Execution.DONE, NEXT_AFTER_DONE),
        ("resolved_done", 409, Execution.DONE, NEXT_AFTER_DONE),
    ],
)
def test_each_refusal_of_a_key_says_what_is_safe(
    reason: str, status: int, execution: Execution, advice: str
) -> None:
    """Another payment needs a new key; a payment that may be on its way never does."""
    refused = Refused(reason, status, "A sentence.", execution=execution)
    assert json.loads(reply_to(call(), refused).body)["next"] == advice
