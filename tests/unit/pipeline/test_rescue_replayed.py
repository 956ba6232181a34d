"""Rules for the reply to a call whose key was used before."""

from __future__ import annotations

import json
from dataclasses import replace

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
