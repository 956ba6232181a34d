"""Rules for the reply to bytes that were no acceptable request."""

from __future__ import annotations

import json

import pytest

from proxy.pipeline.unread import refusal


def test_every_rejection_of_the_edge_has_a_reply() -> None:
    """The status and the reason are the edge's, the sentence is ours."""
    reply = refusal("header_bytes_max", 431, keyed=True)
    members = json.loads(reply.body)
    assert reply.status == members["status"] == 431
    assert members["reason"] == "header_bytes_max"


@pytest.mark.parametrize(
    ("status", "reason", "keyed", "execution"),
    [
        (503, "draining", True, "unknown"),
        (503, "connections_max", True, "unknown"),
        (408, "timeout_body", True, "unknown"),
        (503, "draining", False, "none"),
        (400, "grammar", True, "none"),
    ],
)
def test_of_a_request_that_was_not_read_nothing_is_proven(
    status: int, reason: str, execution: str, *, keyed: bool
) -> None:
    """It may repeat a payment that was executed, if there is a journal; the key was not seen."""
    reply = refusal(reason, status, keyed=keyed)
    assert json.loads(reply.body)["execution"] == execution
    assert b"Tidegate-Execution: " + execution.encode() in reply.labels
