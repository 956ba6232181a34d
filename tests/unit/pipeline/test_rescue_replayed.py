"""Rules for the reply to a call whose key was used before."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from proxy.model.outcome import Answered, Execution, Origin, Refused
from proxy.pipeline.rescue import NEXT_AFTER_DONE, reply_to
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
