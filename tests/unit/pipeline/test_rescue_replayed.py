"""Rules for the reply to a call whose key was used before."""

from __future__ import annotations

from dataclasses import replace

from proxy.model.outcome import Answered, Execution
from proxy.pipeline.rescue import reply_to
from tests.support.values import call, headers, response


def test_a_replay_is_marked_and_otherwise_the_same() -> None:
    """Stripe owns the header that others use for it, so ours has a name of its own."""
    answer = response(201, headers(("Content-Type", "text/plain")), b"charged")
    first = Answered("acme", "a", answer, Execution.DONE)
    made = call()
    plain, replayed = reply_to(made, first), reply_to(made, replace(first, replayed=True))
    assert replayed.labels == plain.labels + b"Tidegate-Replayed: true\r\n"
    assert (replayed.status, replayed.headers, replayed.body) == (201, answer.headers, b"charged")
